"""Prometheus metrics of each process. No label names a client: daily_counts.py counts those.

The library decides at its import where values are stored, so it is imported by a worker's first count, never by its
parent. Values of every request are buffered, and added to the library's files by the writer thread: one such update
costs as much as looking up a client.
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


def count_response(endpoint: str, status: int, error: str) -> None:
    _add(_response_counter(endpoint, error or ("ok" if status < 400 else str(status))))


@cache
def _response_counter(endpoint: str, outcome: str) -> "Counter":
    return instruments().answers.labels(endpoint, outcome)


def count_throttled(endpoint: str) -> None:
    _add(instruments().limited.labels(endpoint))


def count_cache_hit() -> None:
    _add(instruments().in_memory)


def observe_duration(histogram: "Histogram", seconds: float) -> None:
    """Buffer a duration. `Histogram.observe` writes at each call, so this adds to the values that it consists of."""
    bucket = histogram._buckets[bisect_left(BUCKETS, seconds)]
    with _lock:
        _pending[bucket] = _pending.get(bucket, 0.0) + 1
        _pending[histogram._sum] = _pending.get(histogram._sum, 0.0) + seconds


# -- Buffered ---------------------------------------------------------------------------------------------------------

_lock = threading.Lock()
_pending: dict[Any, float] = {}


def _add(value: Any, amount: float = 1.0) -> None:
    with _lock:
        _pending[value] = _pending.get(value, 0.0) + amount


def flush() -> None:
    """Add the pending values to the metrics."""
    with _lock:
        pending = dict(_pending)
        _pending.clear()
    for value, amount in pending.items():
        value.inc(amount)
