"""Running several rules."""

from collections.abc import Callable, Iterable

from core.errors import Refusal


def every(checks: Iterable[Callable[[], None]]) -> None:
    """Run each check; raise the first refusal with the others in `others`, so that a form shows all of them."""
    refusals: list[Refusal] = []
    for check in checks:
        try:
            check()
        except Refusal as refusal:
            refusals += [refusal, *refusal.others]
    if refusals:
        refusals[0].others = tuple(refusals[1:])
        raise refusals[0]
