"""Who the person is: the claims of ID tokens and of the userinfo endpoint (OpenID Connect Core sections 2 and 5)."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings

from authority import jose, keys
from authority.directory import Entry
from consumers.models import User

LIFETIME = 3600  # seconds
TYPE = "JWT"
CLAIMS = ("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "name", "email", "email_verified")


def claims(user: User, scopes: Iterable[str]) -> dict[str, Any]:
    """Return what the scopes tell of the person (OpenID Connect Core section 5.4)."""
    told: dict[str, Any] = {"sub": str(user.pk)}
    if "profile" in scopes and user.name:
        told["name"] = user.name
    if "email" in scopes:
        verified = EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists()
        told |= {"email": user.email, "email_verified": verified}
    return told


def id_token(entry: Entry, user: User, scopes: list[str], bound: Mapping[str, Any]) -> str:
    """Return a signed ID token; `bound` holds the claims that tie it to the request: nonce, at_hash."""
    now = int(time.time())
    content = claims(user, scopes) | {
        "iss": settings.ISSUER,
        "aud": entry.client.client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "auth_time": int(user.last_login.timestamp()) if user.last_login else now,
        **{name: bound[name] for name in ("nonce", "at_hash") if bound.get(name)},
    }
    algorithm = keys.ID_TOKEN_ALGORITHM
    signer = keys.signer(algorithm, entry.active_keys.get(algorithm), seconds=LIFETIME)
    return jose.encode(content, signer, typ=TYPE)


def read_id_token(token: str) -> dict[str, Any] | None:
    """Return the claims of an ID token that we issued, however long ago, or None.

    Meant for hints: whoever shows one proves nothing (OpenID Connect RP-Initiated Logout section 2).
    """
    content = jose.decode(token, keys.verifying, typ=TYPE)
    return content if content is not None and content.get("iss") == settings.ISSUER else None
