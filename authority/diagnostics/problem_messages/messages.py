"""The registry of problem messages, by reason."""

from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter
from typing import Any

from clients.models import Client


@dataclass(frozen=True)
class ProblemMessage:
    """A problem as its page shows it; `to` is the tab where it can be fixed."""

    title: str
    what: str
    todo: str
    to: str = ""


# Title, what happened (of several templates the fullest first), what to do about it, and the tab where.
MessageTemplate = tuple[str, str | tuple[str, ...], str, str]
MessageFunction = Callable[[Client, dict[str, Any]], ProblemMessage]
MESSAGES: dict[str, MessageFunction] = {}


def message_for(kind: str) -> Callable[[MessageFunction], MessageFunction]:
    def register(function: MessageFunction) -> MessageFunction:
        MESSAGES[kind] = function
        return function

    return register


def static(kind: str, title: str, what: str, todo: str, to: str = "") -> None:
    """Register a message without details."""
    words = ProblemMessage(title, what, todo, to)
    MESSAGES[kind] = lambda *_: words


def quoted(values: list[str]) -> str:
    return ", ".join(f"“{value}”" for value in values)


def error_description(detail: dict[str, Any]) -> str:
    """Return what the response said, from its error_description."""
    if said := detail.get("said"):
        return f"We answered: {said}"
    return "error_description in the response that the program got says what was wrong with the request."


def render(phrases: MessageTemplate, detail: dict[str, Any]) -> ProblemMessage:
    """Return the message with the details filled in, by the first template whose details are all present.

    The last template has no details: of too many variants none are kept.
    """
    title, what, todo, to = phrases
    templates = (what,) if isinstance(what, str) else what
    template = next(
        each for each in templates if all(detail.get(name) for _, name, _, _ in Formatter().parse(each) if name)
    )
    return ProblemMessage(title, template.format_map(detail), todo, to)
