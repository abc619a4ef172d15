"""What a problem's words are made of, and the register of them by reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clients.models import Client


@dataclass(frozen=True)
class Words:
    """A problem as its page tells it; `to` is the tab where it is mended."""

    title: str
    what: str
    todo: str
    to: str = ""


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
