"""Logout tokens of a provider (OpenID Connect Back-Channel Logout 1.0 section 2.6)."""

from dataclasses import dataclass

from connections.models import Connection
from connections.relying_party import metadata, signed_tokens
from connections.relying_party.failures import SignInFailed

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TYPES = frozenset({"", "jwt", "logout+jwt"})  # the section recommends the last, and few providers send it
OLDEST = 600  # seconds


@dataclass(frozen=True)
class Logout:
    """Whose sessions end: one by `sid`, or all of `subject`. One of them may be empty."""

    subject: str
    sid: str
    jti: str
    expires_at: float


def verify(text: str, connection: Connection) -> Logout:
    """Return what a logout token asks for. Raises SignInFailed. The caller takes each jti once."""
    claims = signed_tokens.verify(text, jwks_uri=metadata.read(connection.issuer).jwks_uri, types=TYPES)
    signed_tokens.judge_issuer_and_audience(claims, connection.issuer, connection.client_id)
    signed_tokens.judge_times(claims, needs_end=False)
    issued = signed_tokens.moment(claims, "iat") or 0.0
    end = signed_tokens.moment(claims, "exp") or issued + OLDEST
    signed_tokens.judge_times(claims | {"exp": min(end, issued + OLDEST)})
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise SignInFailed("id_token", "events does not name a back-channel logout.")
    if "nonce" in claims:  # it is an ID token
        raise SignInFailed("id_token", "A logout token has no nonce.")
    subject, sid, jti = (claims.get(name, "") for name in ("sub", "sid", "jti"))
    if not all(isinstance(each, str) and len(each) <= 255 for each in (subject, sid, jti)) or not (subject or sid):
        raise SignInFailed("id_token", "It needs sub or sid.")
    return Logout(subject, sid, jti, end)
