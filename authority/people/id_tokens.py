"""ID tokens, and the claims of the userinfo endpoint (OpenID Connect Core sections 2 and 5)."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings

from authority.client_directory import ClientEntry
from authority.keys import signing_keys
from authority.models import SignIn
from authority.people import browser_authentication
from connections.models import Identity
from consumers.models import User
from core import clock
from core.db.prepared import Statement
from core.jose import base64url, jws
from core.jose.algorithms import SigningAlgorithm

USERINFO_LIFETIME = 3600  # seconds that the key of a signed answer stays published; the answer has no end
TYPE = "JWT"
CLAIMS = (
    *("sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "nonce", "at_hash"),
    *("name", "email", "email_verified"),
)

EMAIL_IS_VERIFIED = Statement(
    "is the address verified",
    f'SELECT 1 FROM "{EmailAddress._meta.db_table}" WHERE user_id = %s AND upper(email) = upper(%s) AND verified',  # noqa: S608
)
ADDRESS_AT_PROVIDER = Statement(
    "the address at an identity provider",
    f"""
    SELECT identity.email
    FROM "{SocialAccount._meta.db_table}" AS account
    JOIN "{Identity._meta.db_table}" AS identity ON identity.account_id = account.id
    WHERE account.user_id = %s AND identity.email <> ''
    ORDER BY identity.signed_in_at DESC NULLS LAST
    LIMIT 1
    """,  # noqa: S608  # names of our own tables
)


def user_claims(user: User, scopes: Iterable[str]) -> dict[str, Any]:
    """Return the claims about the person that the scopes allow (OpenID Connect Core section 5.4)."""
    claims: dict[str, Any] = {"sub": user.subject}
    if "profile" in scopes and user.name:
        claims["name"] = user.name
    if "email" in scopes:
        claims |= _address(user)
    return claims


def _address(user: User) -> dict[str, Any]:
    """Return the address and whether it is verified; of whoever has none here, what their provider says it is."""
    if user.has_address:
        return {"email": user.email, "email_verified": EMAIL_IS_VERIFIED.first(user.pk, user.email) is not None}
    said = ADDRESS_AT_PROVIDER.first(user.pk) if user.login_subject is None else None
    return {"email": said[0], "email_verified": False} if said is not None else {}


def issue_id_token(
    entry: ClientEntry,
    user: User,
    scopes: list[str],
    *,
    seconds: int,
    sign_in: SignIn | None,
    nonce: str | None = None,
    access_token: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> str:
    """Return a signed ID token that says how and when the person signed in (OpenID Connect Core section 2).

    `more` are claims of a token hook. They and those of the provider's own login give way to ours.
    """
    now = int(clock.seconds())
    algorithm = entry.client.id_token_signed_response_alg or signing_keys.ID_TOKEN_ALGORITHM
    content = (
        (login_claims(sign_in) | dict(more or {}))
        | user_claims(user, scopes)
        | {
            "iss": settings.ISSUER,
            "aud": entry.client.client_id,
            "iat": now,
            "exp": now + seconds,
        }
    )
    if sign_in is not None:
        content |= {
            "auth_time": int(sign_in.authenticated_at.timestamp()),
            "acr": sign_in.acr or browser_authentication.acr_value(sign_in.methods),
        }
        content |= {"amr": sign_in.methods} if sign_in.methods else {}
        content |= {"sid": sign_in.sid} if sign_in.sid else {}
    if nonce:
        content["nonce"] = nonce
    if access_token:
        content["at_hash"] = _at_hash(access_token, algorithm)
    return _sign(entry, content, algorithm, seconds=seconds)


def login_claims(sign_in: SignIn | None) -> dict[str, Any]:
    """Return the claims for ID tokens and userinfo that the provider's own login gave; none of other sign-ins."""
    found: dict[str, Any] = (sign_in.claims or {}).get("id_token", {}) if sign_in is not None else {}
    return dict(found)


def signed_userinfo(entry: ClientEntry, claims: dict[str, Any]) -> str:
    """Return the userinfo claims as a JWT, for the client that registered one (section 5.3.2)."""
    addressed = {"iss": settings.ISSUER, "aud": entry.client.client_id}
    algorithm = entry.client.userinfo_signed_response_alg
    return _sign(entry, claims | addressed, algorithm, seconds=USERINFO_LIFETIME)


def _sign(entry: ClientEntry, content: dict[str, Any], algorithm: str, *, seconds: int) -> str:
    signer = signing_keys.signer(algorithm, entry.active_keys.get(algorithm), seconds=seconds)
    return jws.encode(content, signer, typ=TYPE)


def _at_hash(token: str, algorithm: str) -> str:
    """Return the left half of the token's hash, by the hash of the algorithm (section 3.1.3.6; SHA-512 for Ed25519)."""
    hashed = (hashlib.sha512 if algorithm == SigningAlgorithm.EDDSA else hashlib.sha256)(token.encode()).digest()
    return base64url.encode(hashed[: len(hashed) // 2])


def read_id_token(token: str) -> dict[str, Any] | None:
    """Return the claims of an ID token that we issued, however long ago, or None.

    For hints, which authenticate nobody (OpenID Connect RP-Initiated Logout section 2).
    """
    content = jws.decode(token, signing_keys.verification_key, typ=TYPE)
    if content is None or content.get("iss") != settings.ISSUER:
        return None
    return content if "exp" in content else None  # signed userinfo has the same type, but no exp (RFC 8725 3.12)
