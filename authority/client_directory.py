"""Clients as the token path sees them: one query brings everything that a token request needs to know.

What was asked for is remembered until the database tells of a change (core/cache.py). So an entry is a fact of
now, but for whatever time decides: that is judged at each use.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import InterfaceError, OperationalError, connection
from django.db.models import BooleanField, Func, OuterRef
from django.db.models.functions import JSONObject
from django.utils import timezone

from authority.models import SigningKey
from authority.telemetry import metrics
from clients.models import Api, Client, ClientSecret, Scope
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from consumers.models import Consumer
from core import cache as memory
from core.cache import Memory
from core.db.prepared import Statement
from core.db.rowmap import Columns

# Grants in which a person takes part, so that a client can ask who they are.
PERSONAL_GRANTS = {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.DEVICE_CODE}


@dataclass(frozen=True, slots=True)
class Secret:
    id: UUID
    pepper_version: str
    digest: str = field(repr=False)
    expires_at: datetime | None = None

    def is_live(self) -> bool:
        return self.expires_at is None or self.expires_at > timezone.now()


@dataclass(frozen=True, slots=True)
class Permission:
    """A scope that the client asked for and its consumer may use, with what its API wants of tokens."""

    value: str
    audience: str
    algorithm: str
    lifetime: int  # seconds, at most
    refresh_lifetime: int | None  # seconds, at most, that a person's permission is refreshed


@dataclass(frozen=True, slots=True)
class Entry:
    """A client, its live secrets, what it may ask for, the keys that sign now. Requests share it: change nothing."""

    client: Client
    secrets: tuple[Secret, ...]
    permissions: Mapping[str, Permission]
    active_keys: Mapping[str, str]  # algorithm to kid
    serves: tuple[str, ...]  # the identifiers of the APIs for which the client asks about tokens

    @property
    def is_usable(self) -> bool:
        return self.client.is_usable(None)

    @property
    def tokens_valid_after(self) -> datetime | None:
        """Return the moment at which all tokens of the client, or of its consumer, were revoked the last time."""
        moments = (self.client.tokens_valid_after, self.client.consumer.tokens_valid_after)
        return max((moment for moment in moments if moment is not None), default=None)

    def has_revoked(self, issued_at: datetime) -> bool:
        """Say whether what was issued then fell to a revocation of all tokens."""
        revoked = self.tokens_valid_after
        return revoked is not None and issued_at <= revoked

    def permissions_of(self, scopes: Iterable[str]) -> list[Permission]:
        return [self.permissions[value] for value in scopes if value in self.permissions]

    def scopes_for(self, grant_type: str) -> list[str]:
        """Return every scope that the client may have by this grant, in a fixed order."""
        identity = [value for value in self.client.scopes if value in IDENTITY_SCOPES]
        return [*(identity if grant_type in PERSONAL_GRANTS else []), *self.permissions]


# -- The one query ----------------------------------------------------------------------------------------------------

# What is loaded of the rows; anything else is fetched by Django when something asks for it.
CLIENT = Columns(
    Client,
    *("id", "client_id", "client_name", "consumer_id", "token_endpoint_auth_method", "grant_types", "scopes"),
    *("token_endpoint_auth_signing_alg", "client_jwks", "client_jwks_uri"),
    *("redirect_uris", "post_logout_redirect_uris", "allowed_cors_origins"),
    *("lifespans", "access_token_strategy", "refresh_token_grace", "claims"),
    *("disabled_at", "expires_at", "tokens_valid_after", "dpop_bound_access_tokens"),
    *("audience", "require_resource", "require_pushed_authorization_requests", "default_max_age"),
    "default_acr_values",
    *("id_token_signed_response_alg", "userinfo_signed_response_alg", "skip_consent", "skip_logout_consent"),
    "environment_type",
)
CONSUMER = Columns(
    Consumer,
    *("id", "name", "slug", "claims", "suspended_at", "tokens_valid_after"),
    *("access_token_lifetime", "refresh_token_lifetime"),
)
ANY_CLIENT = "any client ID"

_remembered: Memory[str, Entry] = Memory(settings.DIRECTORY_SIZE)


def find(client_id: str) -> Entry | None:
    """Return what is known of the client, or None."""
    return recall(client_id) or ask(client_id)


def recall(client_id: str) -> Entry | None:
    entry = _remembered.recall(client_id)
    if entry is not None:
        metrics.found_in_memory()
    return entry


def opinions(client_id: str) -> Iterator[Entry | None]:
    """Return what is remembered of the client, then what the database says.

    Whoever refuses asks twice: so a secret works from the moment that it was made, and the answer to a wrong one takes
    as long as the answer about a client that does not exist.
    """
    if (remembered := recall(client_id)) is not None:
        yield remembered
    yield ask(client_id)


def ask(client_id: str) -> Entry | None:
    """Ask the database, in one query."""
    if not client_id.isascii() or not client_id.isprintable() or len(client_id) > 255:
        return None
    metrics.instruments().in_database.inc()
    asked_at = memory.news()
    try:
        row = fetch(client_id)
    except (OperationalError, InterfaceError):  # the kept connection died, perhaps with its server: try on a new one
        if connection.in_atomic_block:
            raise
        connection.close()
        row = fetch(client_id)
    if row is None:
        return None
    entry, committed = _read(iter(row))
    if committed:
        _remembered.remember(client_id, entry, subjects(entry), asked_at=asked_at)
    return entry


def subjects(entry: Entry) -> frozenset[str]:
    """Return what the entry is about, in the words of the triggers."""
    client = entry.client
    return frozenset((f"client {client.pk % 256}", f"consumer {str(client.consumer_id)[:2]}", "catalogue", "keys"))


def fetch(client_id: str) -> Any:
    lookup, values = statement()
    # Instead of asking PostgreSQL before each request whether it is there, as CONN_HEALTH_CHECKS does, notice when not.
    connection.health_check_done = True  # type: ignore[attr-defined]
    return lookup.first(*(client_id if value == ANY_CLIENT else value for value in values))


@cache
def statement() -> tuple[Statement, tuple[Any, ...]]:
    """Return the query and its values, put into SQL once a process: that takes ten times as long as running it."""
    secrets = ClientSecret.objects.filter(client=OuterRef("pk")).live()
    access = Scope.objects.filter(access__consumer=OuterRef("consumer_id")).order_by("api_id", "id")
    keys = SigningKey.objects.filter(state=SigningKey.State.ACTIVE, purpose=SigningKey.Purpose.TOKENS)
    entries = Client.objects.order_by().annotate(
        live_secrets=ArraySubquery(secrets.values(row=_json_of("id", "pepper_version", "digest", "expires_at"))),
        access=ArraySubquery(
            access.values(
                row=JSONObject(
                    value="value",
                    audience="api__identifier",
                    algorithm="api__signing_algorithm",
                    lifetime="api__access_token_lifetime",
                    refresh_lifetime="api__refresh_token_lifetime",
                )
            )
        ),
        active_keys=ArraySubquery(keys.values(row=_json_of("algorithm", "kid"))),
        audiences=ArraySubquery(
            Api.objects.order_by("id").filter(resource_servers=OuterRef("pk")).values("identifier")
        ),
        # What a transaction has written and may still take back is not to be remembered.
        committed=Func(template="pg_current_xact_id_if_assigned() IS NULL", output_field=BooleanField()),
    )
    gathered = ["live_secrets", "access", "active_keys", "audiences", "committed"]
    columns = [*CLIENT.names, *(f"consumer__{name}" for name in CONSUMER.names), *gathered]
    sql, parameters = entries.filter(client_id=ANY_CLIENT).values_list(*columns).query.sql_with_params()
    return Statement("look a client up", sql), tuple(parameters)


def _json_of(*names: str) -> JSONObject:
    return JSONObject(**{name: name for name in names})


def _read(values: Iterator[Any]) -> tuple[Entry, bool]:
    """Return the row of the query as an entry, and whether it is committed. What the query gathers comes as JSON."""
    client = CLIENT.take(values)
    client.consumer = CONSUMER.take(values)
    live_secrets, access, active_keys = ([json.loads(text) for text in next(values)] for _ in range(3))
    serves, committed = values
    asked = set(client.scopes)
    entry = Entry(
        client=client,
        secrets=tuple(
            Secret(**row | {"id": UUID(row["id"]), "expires_at": _moment(row["expires_at"])}) for row in live_secrets
        ),
        permissions={row["value"]: Permission(**row) for row in access if row["value"] in asked},
        active_keys={row["algorithm"]: row["kid"] for row in active_keys},
        serves=tuple(serves),
    )
    return entry, committed


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
