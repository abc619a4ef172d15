"""How long tokens live: as the client is set, within what the operator, the consumer and the APIs allow.

A client's `lifespans` holds seconds by the names of Ory, such as client_credentials_grant_access_token_lifespan.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings

from authority.client_directory import Entry
from clients.models import ACCESS_TOKEN_LIFETIME
from clients.vocabulary import GrantType

# Grants whose name within `lifespans` is not their registered name.
NAMES: dict[str, str] = {GrantType.DEVICE_CODE: "device_authorization"}
ID_TOKEN_LIFETIME = 3600  # seconds, where the client does not say


def _wanted(entry: Entry, grant_type: str, kind: str) -> int | None:
    """Return the seconds that the client is set to, for tokens of this kind from this grant."""
    seconds = entry.client.lifespans.get(f"{NAMES.get(grant_type, grant_type)}_grant_{kind}_lifespan")
    return int(seconds) if seconds else None


def access_token(entry: Entry, grant_type: str, scopes: Iterable[str]) -> int:
    """Return the seconds that an access token lives: no more than the consumer and the strictest API allow."""
    limits = [permission.lifetime for permission in entry.permissions_of(scopes)] or [ACCESS_TOKEN_LIFETIME]
    of_consumer = entry.client.consumer.access_token_lifetime
    if of_consumer:
        limits.append(of_consumer)
    return min(_wanted(entry, grant_type, "access_token") or ACCESS_TOKEN_LIFETIME, *limits)


def refresh_token(entry: Entry, grant_type: str) -> timedelta:
    """Return how long a refresh token waits to be used, at most; the next one waits anew."""
    longest: int = settings.REFRESH_TOKEN_IDLE
    return timedelta(seconds=min(_wanted(entry, grant_type, "refresh_token") or longest, longest))


def id_token(entry: Entry, grant_type: str) -> int:
    """Return the seconds that an ID token lives; it opens nothing, so only its client says."""
    return _wanted(entry, grant_type, "id_token") or ID_TOKEN_LIFETIME


def family(entry: Entry, scopes: Iterable[str]) -> timedelta:
    """Return how long refreshing may go on, from the person's permission to the last token."""
    limits = [settings.REFRESH_TOKEN_MAX, entry.client.consumer.refresh_token_lifetime]
    limits += [permission.refresh_lifetime for permission in entry.permissions_of(scopes)]
    return timedelta(seconds=min(limit for limit in limits if limit))
