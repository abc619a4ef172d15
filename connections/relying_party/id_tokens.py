"""ID tokens (OpenID Connect Core section 3.1.3.7)."""

import hmac
from typing import Any

from connections.relying_party import signed_tokens
from connections.relying_party.failures import SignInFailed
from core import clock

TYPES = frozenset({"", "jwt", "jose", "id_token+jwt"})
MAX_SUBJECT = 255  # characters (section 2)


def verify(
    id_token: str,
    *,
    issuer: str,
    client_id: str,
    jwks_uri: str,
    nonce: str,
    max_age: int | None,
) -> dict[str, Any]:
    """Return the claims of an ID token that the provider made for this sign-in. Raises SignInFailed.

    `max_age` is the age in seconds that the sign-in at the provider may have, None for any.
    """
    claims = signed_tokens.verify(id_token, jwks_uri=jwks_uri, types=TYPES)
    signed_tokens.judge_issuer_and_audience(claims, issuer, client_id)
    if not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
        raise SignInFailed("nonce")
    signed_tokens.judge_times(claims)
    if max_age is not None:
        authenticated = signed_tokens.moment(claims, "auth_time")
        if authenticated is None or authenticated + max_age + signed_tokens.LEEWAY < clock.seconds():
            raise SignInFailed("too_old", "auth_time is missing or too old.")
    judge_subject(claims)
    return claims


def judge_subject(claims: dict[str, Any]) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise SignInFailed("subject")
    if not (subject.isascii() and subject.isprintable()):
        raise SignInFailed("subject")
