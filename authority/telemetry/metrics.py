"""What each process counts of itself, for Prometheus. No label names a client: those are counted in outcomes.py.

The library decides at its import where to count, so it is imported by who counts first: a worker, never its parent.
What happens with every request is gathered in memory, and put into the library's files by the usage thread: one such
file entry costs as much as looking up a client.
"""

import threading
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


@dataclass(frozen=True, slots=True)
class Instruments:
    answers: "Counter"
    in_memory: "Counter"
    in_database: "Counter"
    seconds: "Histogram"
    limited: "Counter"


@cache
def instruments() -> Instruments:
    from prometheus_client import Counter, Histogram

    lookups = Counter("clientdesk_directory_lookups", "Clients that the token path looked up, by where.", ["found_in"])
    return Instruments(
        answers=Counter(
            "clientdesk_answers",
            "Answers of the endpoints for programs; ok, or the error's code.",
            ["endpoint", "outcome"],
        ),
        in_memory=lookups.labels("memory"),
        in_database=lookups.labels("database"),
        seconds=Histogram(
            "clientdesk_request_seconds",
            "How long requests took inside the server.",
            ["endpoint"],
            buckets=BUCKETS,
        ),
        limited=Counter(
            "clientdesk_limited",
            "Requests that got 429, since too many from their address had proved nothing.",
            ["endpoint"],
        ),
    )


def answered(endpoint: str, status: int, error: str) -> None:
    _add(_answers(endpoint, error or ("ok" if status < 400 else str(status))))


@cache
def _answers(endpoint: str, outcome: str) -> "Counter":
    return instruments().answers.labels(endpoint, outcome)


def limited(endpoint: str) -> None:
    _add(instruments().limited.labels(endpoint))


def found_in_memory() -> None:
    _add(instruments().in_memory)


def took(histogram: "Histogram", seconds: float) -> None:
    """Note a duration. The library can only observe one at a time, so this goes to what it consists of."""
    bucket = histogram._buckets[bisect_left(BUCKETS, seconds)]
    with _lock:
        _gathered[bucket] = _gathered.get(bucket, 0.0) + 1
        _gathered[histogram._sum] = _gathered.get(histogram._sum, 0.0) + seconds


# -- Gathered ---------------------------------------------------------------------------------------------------------

_lock = threading.Lock()
_gathered: dict[Any, float] = {}


def _add(value: Any, amount: float = 1.0) -> None:
    with _lock:
        _gathered[value] = _gathered.get(value, 0.0) + amount


def flush() -> None:
    """Hand over what was gathered to where /metrics reads it."""
    with _lock:
        gathered = dict(_gathered)
        _gathered.clear()
    for value, amount in gathered.items():
        value.inc(amount)


def forget() -> None:
    """Begin with nothing, in a process that was forked: the parent hands over what it gathered."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the fork
    _lock = threading.Lock()
    _gathered.clear()
