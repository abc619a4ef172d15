"""No pattern of the project goes back over what it has read."""

import re

from tests.linear_time.patterns import calls_of_re, hostile_to, patterns
from tests.linear_time.timing import BUDGET, Parts, worst


def use(pattern: re.Pattern, method: str, given: str) -> object:
    text_of = given if isinstance(pattern.pattern, str) else given.encode("utf-8", "replace")
    if method in ("search", "finditer", "findall", "split", "sub"):
        return all(True for _ in pattern.finditer(text_of))
    return getattr(pattern, method)(text_of)


def slowest(pattern: re.Pattern, method: str) -> tuple[float, Parts]:
    return worst(lambda text: use(pattern, method, text), hostile_to(pattern))


def test_each_pattern_reads_any_text_once():
    slow = []
    for place, (pattern, used) in patterns().items():
        for method in used:
            took, parts = slowest(pattern, method)
            if took > BUDGET:
                slow.append(f"{place}: {method} of {pattern.pattern!r} takes {took:.2f} s for {parts}")
    assert not slow, "\n".join(slow)


def test_every_pattern_is_found():
    """The collection is worth what it holds: known ones of each kind are in it."""
    found = patterns()
    assert len(found) > 100
    for known in ("portal.logs.REDACTIONS0", "core.jose.jws.KID", "validator ^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\\d+)?$"):
        assert known in found, known
    compiled = [place for place, call, at_top in calls_of_re() if call.func.attr == "compile" and at_top]
    collected = [name for name, (pattern, _) in found.items() if not name.startswith(("URL ", "validator "))]
    assert len(set(compiled)) <= len(collected)


def test_a_quadratic_pattern_is_found():
    """The sieve is worth what it keeps back: the pattern by which the log was once filtered."""
    assert slowest(re.compile(r"\b(ey[\w-]{8,}\.ey[\w-]{8,})\.[\w-]+"), "sub")[0] > BUDGET
