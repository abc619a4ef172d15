"""A test of a token hook: the room above signs and asks; the pages and the API of this one show the outcome."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clients.models import TokenHook


@dataclass(frozen=True)
class HookTest:
    """What a hook answered to a made-up question. `text` says what is wrong, or what it answered."""

    is_good: bool
    text: str
    milliseconds: int
    claims: Mapping[str, Any] = field(default_factory=dict)


type Tester = Callable[[TokenHook], HookTest]

_testers: list[Tester] = []


def register_hook_test(tester: Tester) -> None:
    """Take the function that asks a hook."""
    _testers[:] = [tester]


def try_hook(hook: TokenHook) -> HookTest:
    """Ask the hook about a client that there is not, and a person that nobody is."""
    return _testers[0](hook)
