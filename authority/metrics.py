"""What each process counts of itself, for Prometheus. No label names a client: those are counted in outcomes.py."""

from prometheus_client import Counter, Histogram

ANSWERS = Counter(
    "clientdesk_answers", "Answers of the endpoints for programs; ok, or the error's code.", ["endpoint", "outcome"]
)
CLIENTS = Counter("clientdesk_directory_lookups", "Clients that the token path looked up, by where.", ["found_in"])
IN_MEMORY, IN_DATABASE = CLIENTS.labels("memory"), CLIENTS.labels("database")
SECONDS = Histogram(
    "clientdesk_request_seconds",
    "How long requests took inside the server.",
    ["endpoint"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


def answered(endpoint: str, status: int, error: str) -> None:
    ANSWERS.labels(endpoint, error or ("ok" if status < 400 else str(status))).inc()
