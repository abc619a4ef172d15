"""Why is this request refused? Noted for the client's own people, while the wire rightly says less.

Whatever judges a request says what it knows: `about` whose request it is, `because` why it is refused. The door begins
and concludes. All of it is memory: nothing here asks or writes the database, and no detail is ever a secret.
"""

import re
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from authority.telemetry import daily_counts, metrics, problem_log
from clients import secrets
from clients.models import Client

# Answers that belong to the ordinary course of things: somebody says no, is asked to sign in, or has not decided yet.
ORDINARY = {
    *("access_denied", "login_required", "consent_required", "interaction_required", "account_selection_required"),
    *("authorization_pending", "slow_down", "use_dpop_nonce"),
}
COUNTED = {"token", "identity", "identity_token"}  # endpoints that issue tokens to programs
LONGEST = 200  # characters of a detail
NAMED = 5  # values of a list that are told
QUOTES = "\"'`‘’“”"
# Line ends, terminal escapes, characters that turn the reading direction, halves of characters.
UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(slots=True)
class Inquiry:
    """One request, as far as it is understood."""

    endpoint: str
    client: int | None = None
    ip: str | None = None
    error: str = ""
    said: str = ""  # error_description, which tells where nobody said why
    kind: str = ""
    unproven: tuple[str | None, str] | None = field(default=None, repr=False)  # whence, by which client ID or token
    detail: dict[str, Any] = field(default_factory=dict)


_current: ContextVar[Inquiry | None] = ContextVar("the request that is judged", default=None)


def begin(endpoint: str) -> Inquiry:
    """Begin to judge a request at the endpoint, such as token."""
    inquiry = Inquiry(endpoint)
    _current.set(inquiry)
    return inquiry


def about(client: Client | None) -> None:
    """Say which client the request names; it need not have proven itself."""
    inquiry = _current.get()
    if inquiry is not None and client is not None:
        inquiry.client = client.pk


def unproven(ip: str | None, name: str) -> None:
    """Say that the request did not prove who sends it; the door counts that, once however often it is judged."""
    inquiry = _current.get()
    if inquiry is not None:
        inquiry.unproven = ip, name


def because(kind: str, **detail: str | Iterable[str]) -> None:
    """Say why the request is about to be refused. The first reason counts, which is the nearest to the cause.

    `kind` is a reason that authority/problems/ has words for, which fill in the details.
    """
    inquiry = _current.get()
    if inquiry is not None and not inquiry.kind:
        inquiry.kind = kind
        inquiry.detail = {name: _safe(value) for name, value in detail.items()}


def because_secret(text: str) -> None:
    """Say that the secret is none that works. Its digests, never its text, tell later which one it was."""
    bare = text.strip().strip(QUOTES).strip()
    hint = bare[-4:] if secrets.looks_real(bare) else ""
    shape = "" if text else "empty"
    if bare.startswith(secrets.PREFIX):
        shape = "damaged" if not hint else "wrapped" if bare != text else ""
    digests = [secrets.digest(text, version) for version in secrets.peppers()]
    because("secret_unknown", hint=hint, shape=shape, digests=digests)


def because_unusable(client: Client) -> None:
    """Say which switch turned the client off."""
    because("client_disabled" if client.is_disabled else "consumer_suspended")


def refused(error: str, ip: str | None = None, *, said: str | None = None) -> None:
    """Note the registered code that the answer has, what else it says, and where the request came from."""
    inquiry = _current.get()
    if inquiry is not None:
        inquiry.error, inquiry.ip, inquiry.said = error, ip, said or ""


def conclude(status: int) -> None:
    """Count the answer, and keep why it was a refusal; of requests that name no client of ours nothing is kept."""
    inquiry = _current.get()
    if inquiry is not None:
        metrics.answered(inquiry.endpoint, status, inquiry.error)
    if inquiry is None or inquiry.client is None or status >= 500 or inquiry.error in ORDINARY:
        return
    if inquiry.endpoint in COUNTED:
        daily_counts.count(inquiry.client, issued=status < 400)
    if status >= 400 or inquiry.error:
        kind = inquiry.kind or inquiry.error
        detail = inquiry.detail if inquiry.kind or not inquiry.said else {"said": _safe(inquiry.said)}
        problem_log.record(inquiry.client, inquiry.endpoint, kind, detail=detail, error=inquiry.error, ip=inquiry.ip)


def granted(endpoint: str, client: int) -> None:
    """Count a token that was issued without any question."""
    metrics.answered(endpoint, 200, "")
    daily_counts.count(client, issued=True)


def unread(kind: str, **detail: str) -> None:
    """Keep a problem of a request that was answered, but whose answer does not reach the program."""
    inquiry = _current.get()
    if inquiry is not None and inquiry.client is not None:
        told = {name: _safe(value) for name, value in detail.items()}
        problem_log.record(inquiry.client, inquiry.endpoint, kind, detail=told, ip=inquiry.ip)


# -- Details ----------------------------------------------------------------------------------------------------------


def _safe(value: str | Iterable[str]) -> Any:
    """Return a detail that can be stored and read: short, on one line."""
    if isinstance(value, str):
        return _shortened(UNREADABLE.sub("�", value))
    values = list(value)
    return [_safe(each) for each in values[:NAMED]] + (["…"] if len(values) > NAMED else [])


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def address(uri: str) -> str:
    """Return a URI without what it may carry in confidence: user and password, and the values of its query."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri.partition("?")[0].partition("#")[0]
    query = "&".join(pair.partition("=")[0] + "=…" for pair in parts.query.split("&")) if parts.query else ""
    return parts._replace(
        netloc=parts.netloc.rpartition("@")[2], query=query, fragment="…" * bool(parts.fragment)
    ).geturl()
