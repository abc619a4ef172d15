"""Token lifetimes: the client's setting, within the limits of the operator, the consumer and the APIs.

A client's `lifespans` holds seconds by the names of Ory, such as client_credentials_grant_access_token_lifespan.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings

from authority.client_directory import ClientEntry
from clients.models import ACCESS_TOKEN_LIFETIME
from clients.vocabulary import GrantType
from core import clock

# Grants whose name within `lifespans` is not their registered name.
LIFESPAN_PREFIXES: dict[str, str] = {GrantType.DEVICE_CODE: "device_authorization"}
ID_TOKEN_LIFETIME = 3600  # seconds, where the client does not say


def _configured(entry: ClientEntry, grant_type: str, kind: str) -> int | None:
    """Return the client's setting in seconds, for tokens of this kind from this grant, or None."""
    seconds = entry.client.lifespans.get(f"{LIFESPAN_PREFIXES.get(grant_type, grant_type)}_grant_{kind}_lifespan")
    return int(seconds) if seconds else None


def access_token(entry: ClientEntry, grant_type: str, scopes: Iterable[str]) -> int:
    """Return an access token's lifetime in seconds: at most what the consumer and the strictest API allow.

    APIs that verify tokens alone learn of no end, so a token ends with the first of its permissions.
    """
    scopes = list(scopes)
    limits = [permission.lifetime for permission in entry.permissions_of(scopes)] or [ACCESS_TOKEN_LIFETIME]
    of_consumer = entry.client.consumer.access_token_lifetime
    if of_consumer:
        limits.append(of_consumer)
    if entry.has_ends:
        limits += _until_they_end(entry, scopes)
    return min(_configured(entry, grant_type, "access_token") or ACCESS_TOKEN_LIFETIME, *limits)


def _until_they_end(entry: ClientEntry, scopes: Iterable[str]) -> list[int]:
    """Return for how many seconds each permission that has an end still holds, and one at least."""
    ends = [permission.expires_at for permission in entry.permissions_of(scopes)]
    return [max(1, int(end.timestamp() - clock.seconds())) for end in ends if end is not None]


def refresh_token(entry: ClientEntry, grant_type: str) -> timedelta:
    """Return how long a refresh token may stay unused; its successor has that time again."""
    longest: int = settings.REFRESH_TOKEN_IDLE
    return timedelta(seconds=min(_configured(entry, grant_type, "refresh_token") or longest, longest))


def id_token(entry: ClientEntry, grant_type: str) -> int:
    """Return an ID token's lifetime in seconds; it grants no access, so the client alone sets it."""
    return _configured(entry, grant_type, "id_token") or ID_TOKEN_LIFETIME


def family(entry: ClientEntry, scopes: Iterable[str]) -> timedelta:
    """Return how long a family may be refreshed, from the person's consent on."""
    limits = [settings.REFRESH_TOKEN_MAX, entry.client.consumer.refresh_token_lifetime]
    limits += [permission.refresh_lifetime for permission in entry.permissions_of(scopes)]
    return timedelta(seconds=min(limit for limit in limits if limit))
