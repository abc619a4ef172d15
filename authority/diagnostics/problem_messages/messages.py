"""What a problem's words are made of, and the register of them by reason."""

from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter
from typing import Any

from clients.models import Client


@dataclass(frozen=True)
class Words:
    """A problem as its page tells it; `to` is the tab where it is mended."""

    title: str
    what: str
    todo: str
    to: str = ""


# Title, what happened (where several ways tell it, the fullest first), what to do about it, and the tab where.
Phrases = tuple[str, str | tuple[str, ...], str, str]
Teller = Callable[[Client, dict[str, Any]], Words]
TOLD: dict[str, Teller] = {}


def tells(kind: str) -> Callable[[Teller], Teller]:
    def register(teller: Teller) -> Teller:
        TOLD[kind] = teller
        return teller

    return register


def plain(kind: str, title: str, what: str, todo: str, to: str = "") -> None:
    """Register words that need no details."""
    words = Words(title, what, todo, to)
    TOLD[kind] = lambda *_: words


def quoted(values: list[str]) -> str:
    return ", ".join(f"“{value}”" for value in values)


def answered(detail: dict[str, Any]) -> str:
    """Return what the answer told the program itself."""
    if said := detail.get("said"):
        return f"We answered: {said}"
    return "error_description in the answer that the program got says what was wrong with the request."


def spoken(phrases: Phrases, detail: dict[str, Any]) -> Words:
    """Return the words with what the request said in the braces, in the first way that says nothing of what it did not.

    The last way has no braces: of many different requests only that there were some is kept.
    """
    title, what, todo, to = phrases
    ways = (what,) if isinstance(what, str) else what
    told = next(way for way in ways if all(detail.get(name) for _, name, _, _ in Formatter().parse(way) if name))
    return Words(title, told.format_map(detail), todo, to)
