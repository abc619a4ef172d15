"""Access tokens: what they say, how long they live, which key signs them (RFC 9068)."""

import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from authority import jose, keys
from authority.directory import Entry, Permission
from clients.models import ACCESS_TOKEN_LIFETIME
from consumers.policy import RESERVED_CLAIMS

TYPE = "at+jwt"


def lifetime(entry: Entry, grant_type: str, scopes: Iterable[str]) -> int:
    """Return how many seconds the token lives: as its client is set, but no longer than the strictest API allows."""
    wanted = entry.client.lifespans.get(f"{grant_type}_grant_access_token_lifespan") or ACCESS_TOKEN_LIFETIME
    return min([int(wanted), *(permission.lifetime for permission in permissions(entry, scopes))])


def issue(entry: Entry, *, scopes: list[str], seconds: int, person: uuid.UUID | None = None) -> str:
    """Return a signed token for the client itself, or for a person who allowed it."""
    algorithm = algorithm_for(entry, scopes)
    now = int(time.time())
    client = entry.client
    claims = extra_claims(client.consumer.claims) | {
        "iss": settings.ISSUER,
        "sub": str(person or client.client_id),
        "aud": audience(entry, scopes),
        "client_id": client.client_id,
        "scope": " ".join(scopes),
        "iat": now,
        "exp": now + seconds,
        "jti": uuid.uuid4().hex,
        "consumer_id": str(client.consumer_id),
    }
    return jose.encode(claims, keys.signer(algorithm, entry.active_keys.get(algorithm), seconds=seconds), typ=TYPE)


def audience(entry: Entry, scopes: list[str]) -> str | list[str]:
    """Return the APIs that the token is for, and ourselves where it opens userinfo (RFC 9068 section 3)."""
    audiences = list(dict.fromkeys(permission.audience for permission in permissions(entry, scopes)))
    if "openid" in scopes or not audiences:
        audiences.append(settings.ISSUER)
    return audiences if len(audiences) > 1 else audiences[0]


def algorithm_for(entry: Entry, scopes: list[str]) -> str:
    """Return the algorithm that the token's APIs agree on."""
    algorithms = {permission.algorithm for permission in permissions(entry, scopes)}
    return algorithms.pop() if len(algorithms) == 1 else keys.DEFAULT_ALGORITHM


def permissions(entry: Entry, scopes: Iterable[str]) -> list[Permission]:
    return [entry.permissions[value] for value in scopes if value in entry.permissions]


def extra_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return what operators added, without names that were reserved after it was saved."""
    return {name: value for name, value in claims.items() if name not in RESERVED_CLAIMS}
