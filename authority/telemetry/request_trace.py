"""The trace of the current request: whose it is and why it is refused, for the managers of its client.

The response itself says less, as it must. Each step of a request adds what it knows (`set_client`, `set_reason`); the
endpoint starts and finishes the trace. All of it is in memory: nothing here queries the database, and no detail is ever
a secret.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from authority.telemetry import daily_counts, metrics, problem_log
from authority.telemetry.reasons import Reason
from clients import secrets
from clients.models import Client
from core.text import replace_unsafe

# Errors in the normal course of a flow, which are no problems: the person declines, has to sign in, or has not decided.
ALWAYS_RECORDED = {"hook_denied", "hook_failed"}  # which the program's developers hear of nowhere else
EXPECTED_ERRORS = {
    *("access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required"),
    *("authorization_pending", "slow_down", "use_dpop_nonce"),
}
COUNTED_ENDPOINTS = {"token", "identity", "identity_token"}  # endpoints that issue tokens to clients
MAX_DETAIL_LENGTH = 200  # characters of a detail
MAX_LIST_VALUES = 5  # values of a list that are kept
QUOTES = "\"'`‘’“”"


@dataclass(slots=True)
class RequestTrace:
    """What is known of one request so far."""

    endpoint: str
    client: int | None = None
    ip: str | None = None
    error: str = ""
    description: str = ""  # error_description, which is recorded where no reason was set
    kind: str = ""
    # The caller's address, with the client ID or token that was not authenticated.
    failed_auth: tuple[str | None, str] | None = field(default=None, repr=False)
    detail: dict[str, Any] = field(default_factory=dict)
    allowed_origins: list[str] | None = None  # that may read the response; None while the client is not authenticated


_current: ContextVar[RequestTrace | None] = ContextVar("current_request_trace", default=None)


# The client that the request names, for the access log; what is answered from memory has no trace.
_client_id: ContextVar[str] = ContextVar("current_client_id", default="")


def name_client(client: Client) -> None:
    """Set the client of a request that has no trace."""
    _client_id.set(client.client_id)


def client_id() -> str:
    """Return the client that the current request names, or nothing where none is known."""
    return _client_id.get()


def forget_client() -> None:
    """Forget the client of an earlier request in this thread."""
    _client_id.set("")


def start(endpoint: str) -> RequestTrace:
    """Start the trace of a request at the endpoint, such as "token"."""
    trace = RequestTrace(endpoint)
    _current.set(trace)
    return trace


def clear() -> None:
    """Forget the trace of an earlier request in this thread."""
    _current.set(None)


def allow_origins(origins: list[str]) -> None:
    """Set the origins whose pages may read the response (Fetch section 3.2)."""
    trace = _current.get()
    if trace is not None:
        trace.allowed_origins = origins


def allowed_origins() -> list[str] | None:
    """Return the origins that were set, or None when no client was authenticated."""
    trace = _current.get()
    return trace.allowed_origins if trace is not None else None


def set_client(client: Client | None) -> None:
    """Set the client that the request names; it need not be authenticated."""
    if client is None:
        return
    name_client(client)
    trace = _current.get()
    if trace is not None:
        trace.client = client.pk


def auth_failed(ip: str | None, name: str) -> None:
    """Note failed authentication; the endpoint counts it, once however often the request is validated."""
    trace = _current.get()
    if trace is not None:
        trace.failed_auth = ip, name


def set_reason(kind: Reason, **detail: str | Iterable[str]) -> None:
    """Set why the request is about to be refused. The first reason is kept, which is the nearest to the cause.

    The details fill in its message in authority/diagnostics/problem_messages/.
    """
    trace = _current.get()
    if trace is not None and not trace.kind:
        trace.kind = kind
        trace.detail = {name: _safe(value) for name, value in detail.items()}


def set_secret_reason(text: str) -> None:
    """Set that the secret is no valid one. Its digests, never its text, tell later which secret it was."""
    bare = text.strip().strip(QUOTES).strip()
    hint = bare[-4:] if secrets.looks_real(bare) else ""
    shape = "" if text else "empty"
    if bare.startswith(secrets.PREFIX):
        shape = "damaged" if not hint else "wrapped" if bare != text else ""
    digests = [secrets.keyed_digest(text, version) for version in secrets.peppers()]
    set_reason("secret_unknown", hint=hint, shape=shape, digests=digests)


def set_disabled_reason(client: Client) -> None:
    """Set that the client is disabled, or its consumer suspended."""
    set_reason("client_disabled" if client.is_disabled else "consumer_suspended")


def set_error(error: str, ip: str | None = None, *, description: str | None = None) -> None:
    """Set the error code and description of the response, and the caller's address."""
    trace = _current.get()
    if trace is not None:
        trace.error, trace.ip, trace.description = error, ip, description or ""


def finish(status: int) -> None:
    """Count the response, and record a refusal in the client's problem log; without a client nothing is recorded."""
    trace = _current.get()
    if trace is not None:
        metrics.count_response(trace.endpoint, status, trace.error)
    if trace is None or trace.client is None:
        return
    if trace.kind not in ALWAYS_RECORDED and (status >= 500 or trace.error in EXPECTED_ERRORS):
        return
    if trace.endpoint in COUNTED_ENDPOINTS:
        daily_counts.count(trace.client, issued=status < 400)
    if status >= 400 or trace.error:
        kind = trace.kind or trace.error
        detail = trace.detail if trace.kind or not trace.description else {"said": _safe(trace.description)}
        problem_log.record(trace.client, trace.endpoint, kind, detail=detail, error=trace.error, ip=trace.ip)


def count_issued(endpoint: str, client: int) -> None:
    """Count a token that was issued from the cache."""
    metrics.count_response(endpoint, 200, "")
    daily_counts.count(client, issued=True)


def record_unreadable_response(kind: Reason, **detail: str) -> None:
    """Record that the response to a request cannot be read by the page that sent it."""
    trace = _current.get()
    if trace is not None and trace.client is not None:
        details = {name: _safe(value) for name, value in detail.items()}
        problem_log.record(trace.client, trace.endpoint, kind, detail=details, ip=trace.ip)


# -- Details ----------------------------------------------------------------------------------------------------------


def _safe(value: str | Iterable[str]) -> Any:
    """Return a detail that can be stored and displayed: short, on one line."""
    if isinstance(value, str):
        return _truncate(replace_unsafe(value, lambda _: "�"))
    values = list(value)
    return [_safe(each) for each in values[:MAX_LIST_VALUES]] + (["…"] if len(values) > MAX_LIST_VALUES else [])


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_DETAIL_LENGTH else f"{text[:MAX_DETAIL_LENGTH]}…"


def redact_uri(uri: str) -> str:
    """Return a URI without credentials: user and password, the values of its query, and the fragment."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri.partition("?")[0].partition("#")[0]
    query = "&".join(pair.partition("=")[0] + "=…" for pair in parts.query.split("&")) if parts.query else ""
    return parts._replace(
        netloc=parts.netloc.rpartition("@")[2], query=query, fragment="…" * bool(parts.fragment)
    ).geturl()
