"""What each process counts of itself, for Prometheus. No label names a client: those are counted in outcomes.py.

The library decides at its import where to count, so it is imported by who counts first: a worker, never its parent.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Counter, Histogram

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


@dataclass(frozen=True, slots=True)
class Instruments:
    answers: "Counter"
    in_memory: "Counter"
    in_database: "Counter"
    seconds: "Histogram"


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
    )


def answered(endpoint: str, status: int, error: str) -> None:
    instruments().answers.labels(endpoint, error or ("ok" if status < 400 else str(status))).inc()
