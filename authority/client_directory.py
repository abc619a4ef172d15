"""Clients as the token path reads them: one query loads everything that a token request needs.

An entry is cached until the database notifies of a change (core/cache.py), so it is current, except for what expires:
that is checked at each use.
"""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import InterfaceError, OperationalError, connection
from django.db.models import BooleanField, Case, Exists, Func, JSONField, OuterRef, Subquery, When
from django.db.models.functions import JSONObject

from authority.models import SigningKey
from authority.telemetry import metrics
from clients.claim_sources import SOURCES, ClaimSource
from clients.models import (
    Access,
    Api,
    ApiClaim,
    ApiRole,
    Client,
    ClientSecret,
    Scope,
    SelfRegistration,
    SignInBy,
    TokenHook,
)
from clients.policy.roles import MAX_CLAIM_VALUE
from clients.secrets import is_expired
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from consumers.models import Consumer
from consumers.policy import MAX_CLAIMS
from core import cache, clock
from core.cache import NotifiedCache
from core.db.prepared import Statement
from core.db.rowmap import Columns
from core.jose import jws

# Grants in which a person takes part, so that a client can ask who they are.
PERSONAL_GRANTS = {GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.DEVICE_CODE}


@dataclass(frozen=True, slots=True)
class LiveSecret:
    id: UUID
    pepper_version: str
    digest: str = field(repr=False)
    expires_at: datetime | None = None

    def is_live(self) -> bool:
        return not is_expired(self.expires_at)


@dataclass(frozen=True, slots=True)
class Permission:
    """A scope that the client registered and its consumer may use, with what its API requires of tokens."""

    value: str
    audience: str
    algorithm: str
    lifetime: int  # seconds, at most
    refresh_lifetime: int | None  # seconds, at most, for which refreshing goes on
    expires_at: datetime | None = None
    sign_in: str = SignInBy.MEMBERS  # who may sign in to clients that ask for it

    def is_live(self) -> bool:
        return self.expires_at is None or clock.now() < self.expires_at


@dataclass(frozen=True, slots=True)
class PersonalClaim:
    """A claim of an API's tokens that tells of the person they speak for."""

    name: str
    source: ClaimSource
    path: str


@dataclass(frozen=True, slots=True)
class Hook:
    """Who is asked for claims of an API's tokens (authority/tokens/token_hooks.py)."""

    id: int
    url: str
    timeout: int  # milliseconds
    failure: str
    cache_seconds: int


@dataclass(frozen=True, slots=True)
class ApiTokens:
    """What access tokens for one API carry besides."""

    has_roles: bool
    fixed: Mapping[str, Any]  # claims that are the same for all clients of the consumer
    personal: tuple[PersonalClaim, ...]
    hook: Hook | None = None


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """A client, its live secrets, its permissions, and the active keys. Requests share it, so it is never changed."""

    client: Client
    secrets: tuple[LiveSecret, ...]
    granted: Mapping[str, Permission]  # some of which may have ended since they were read
    active_keys: Mapping[str, str]  # algorithm to kid
    serves: tuple[str, ...]  # the identifiers of the APIs for which the client introspects tokens
    api_tokens: Mapping[str, ApiTokens]  # by audience: of the consumer's APIs those with roles, claims or a hook
    has_ends: bool = False  # one of its permissions is granted until a date
    is_self_registered: bool = False

    @property
    def permissions(self) -> Mapping[str, Permission]:
        """Return the permissions by their values, without what has ended."""
        if not self.has_ends:
            return self.granted
        return {value: permission for value, permission in self.granted.items() if permission.is_live()}

    @property
    def is_usable(self) -> bool:
        return self.client.is_usable(None)

    @property
    def tokens_valid_after(self) -> datetime | None:
        """Return when all tokens of the client, or of its consumer, were last revoked."""
        moments = (self.client.tokens_valid_after, self.client.consumer.tokens_valid_after)
        return max((moment for moment in moments if moment is not None), default=None)

    def has_revoked(self, issued_at: datetime) -> bool:
        """Return whether a token that was issued then is revoked with all others."""
        revoked = self.tokens_valid_after
        return revoked is not None and issued_at <= revoked

    def has_signed_out(self, signed_in_at: datetime) -> bool:
        """Return whether a sign-in of that time is over, with those of everybody at the client."""
        over = self.client.people_signed_out_at
        return self.has_revoked(signed_in_at) or (over is not None and signed_in_at <= over)

    def permissions_of(self, scopes: Iterable[str]) -> list[Permission]:
        permissions = self.permissions
        return [permissions[value] for value in scopes if value in permissions]

    def scopes_for(self, grant_type: str) -> list[str]:
        """Return every scope that the client may have by this grant, in a fixed order."""
        identity = [value for value in self.client.scopes if value in IDENTITY_SCOPES]
        return [*(identity if grant_type in PERSONAL_GRANTS else []), *self.permissions]


# -- The one query ----------------------------------------------------------------------------------------------------

# The columns that are loaded; Django defers the others until they are read.
CLIENT = Columns(
    Client,
    *("id", "client_id", "client_name", "consumer_id", "token_endpoint_auth_method", "grant_types", "scopes"),
    *("token_endpoint_auth_signing_alg", "client_jwks", "client_jwks_uri"),
    *("redirect_uris", "post_logout_redirect_uris", "allowed_cors_origins"),
    *("lifespans", "access_token_strategy", "refresh_token_grace", "claims"),
    *("disabled_at", "expires_at", "tokens_valid_after", "people_signed_out_at", "dpop_bound_access_tokens"),
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
CLIENT_ID_PLACEHOLDER = "any client ID"

entries: NotifiedCache[str, ClientEntry] = NotifiedCache(settings.DIRECTORY_SIZE)


def find(client_id: str) -> ClientEntry | None:
    """Return the client, from the cache or the database, or None."""
    return get_cached(client_id) or load(client_id)


def get_cached(client_id: str) -> ClientEntry | None:
    entry = entries.get(client_id)
    if entry is not None:
        metrics.count_cache_hit()
    return entry


def cached_then_current(client_id: str) -> Iterator[ClientEntry | None]:
    """Yield the client from the cache, if it is there, then from the database.

    Before a refusal both are read: so a new secret works at once, and refusing a wrong one takes as long as refusing a
    client that does not exist.
    """
    if (remembered := get_cached(client_id)) is not None:
        yield remembered
    yield load(client_id)


def load(client_id: str) -> ClientEntry | None:
    """Load the client from the database, in one query, and cache it."""
    if not client_id.isascii() or not client_id.isprintable() or len(client_id) > 255:
        return None
    metrics.instruments().in_database.inc()
    generation = cache.current_generation()
    try:
        row = query_row(client_id)
    except (
        OperationalError,
        InterfaceError,
    ):  # the persistent connection broke, perhaps with its server
        if connection.in_atomic_block:
            raise
        connection.close()
        row = query_row(client_id)
    if row is None:
        return None
    entry, committed = _entry_from_row(iter(row))
    if committed:
        entries.set(client_id, entry, invalidation_subjects(entry), generation=generation)
    return entry


def invalidation_subjects(entry: ClientEntry) -> frozenset[str]:
    """Return the subjects that the triggers notify of when the entry changes (authority/sql/directory.sql)."""
    client = entry.client
    return frozenset((f"client {client.pk % 256}", f"consumer {str(client.consumer_id)[:2]}", "catalogue", "keys"))


def query_row(client_id: str) -> Any:
    lookup, values = lookup_statement()
    # Skip the query of CONN_HEALTH_CHECKS before each request: `load` reconnects when the connection is broken.
    connection.health_check_done = True  # type: ignore[attr-defined]
    return lookup.first(*(client_id if value == CLIENT_ID_PLACEHOLDER else value for value in values))


@functools.cache
def lookup_statement() -> tuple[Statement, tuple[Any, ...]]:
    """Return the query and its values, compiled once a process: compiling takes ten times as long as running it."""
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
                    expires_at="access__expires_at",
                    sign_in="api__sign_in",
                )
            )
        ),
        active_keys=ArraySubquery(keys.values(row=_json_of("algorithm", "kid"))),
        audiences=ArraySubquery(
            Api.objects.order_by("id").filter(resource_servers=OuterRef("pk")).values("identifier")
        ),
        api_tokens=_api_tokens(),
        is_self_registered=Exists(SelfRegistration.objects.filter(client=OuterRef("pk"))),
        # What the current transaction has written, and may roll back, must not be cached.
        committed=Func(template="pg_current_xact_id_if_assigned() IS NULL", output_field=BooleanField()),
    )
    computed = ["live_secrets", "access", "active_keys", "audiences", "api_tokens", "is_self_registered", "committed"]
    columns = [*CLIENT.names, *(f"consumer__{name}" for name in CONSUMER.names), *computed]
    sql, parameters = entries.filter(client_id=CLIENT_ID_PLACEHOLDER).values_list(*columns).query.sql_with_params()
    return Statement("look a client up", sql), tuple(parameters)


def _api_tokens() -> ArraySubquery:
    """Return roles, claims and hook of the consumer's APIs, with what the claims read of the consumer."""
    roles, claims, hooks = (model.objects.filter(api=OuterRef("pk")) for model in (ApiRole, ApiClaim, TokenHook))
    used = Access.objects.filter(scope__api=OuterRef("pk"), consumer=OuterRef(OuterRef("consumer_id")))
    # A row in a subquery of a subquery: two queries out is the client, whose consumer it is.
    values = [
        When(source=source.value, then=source.of_consumer(lambda name: OuterRef(OuterRef(f"consumer__{name}"))))
        for source in SOURCES.values()
        if source.of_consumer is not None
    ]
    rows = claims.order_by("id").values(
        row=JSONObject(name="name", source="source", path="path", value=Case(*values, output_field=JSONField()))
    )
    hook = hooks.values(row=_json_of("id", "url", "timeout", "failure", "cache_seconds"))
    apis = Api.objects.order_by("id").filter(Exists(used), Exists(roles) | Exists(claims) | Exists(hooks))
    row = JSONObject(
        audience="identifier", has_roles=Exists(roles), claims=ArraySubquery(rows), hook=Subquery(hook[:1])
    )
    return ArraySubquery(apis.values(row=row))


def _json_of(*names: str) -> JSONObject:
    return JSONObject(**{name: name for name in names})


def _entry_from_row(values: Iterator[Any]) -> tuple[ClientEntry, bool]:
    """Return the row as an entry, and whether it is committed. Subqueries come as JSON."""
    client = CLIENT.take(values)
    client.consumer = CONSUMER.take(values)
    live_secrets, access, active_keys = ([json.loads(text) for text in next(values)] for _ in range(3))
    serves, api_tokens, is_self_registered, committed = values
    registered = set(client.scopes)
    granted = {
        row["value"]: Permission(**row | {"expires_at": _parse_datetime(row["expires_at"])})
        for row in access
        if row["value"] in registered
    }
    entry = ClientEntry(
        client=client,
        secrets=tuple(
            LiveSecret(**row | {"id": UUID(row["id"]), "expires_at": _parse_datetime(row["expires_at"])})
            for row in live_secrets
        ),
        granted=granted,
        active_keys={row["algorithm"]: row["kid"] for row in active_keys},
        serves=tuple(serves),
        has_ends=any(permission.expires_at is not None for permission in granted.values()),
        api_tokens=_api_tokens_from_rows([json.loads(text) for text in api_tokens]),
        is_self_registered=is_self_registered,
    )
    return entry, committed


def _api_tokens_from_rows(rows: list[dict[str, Any]]) -> dict[str, ApiTokens]:
    found = {}
    for row in rows:
        known = [(each, SOURCES[each["source"]]) for each in row["claims"] if each["source"] in SOURCES]
        personal = (PersonalClaim(each["name"], source, each["path"]) for each, source in known if source.is_personal)
        fixed = {each["name"]: each["value"] for each, source in known if not source.is_personal}
        hook = Hook(**row["hook"]) if row["hook"] else None
        found[row["audience"]] = ApiTokens(row["has_roles"], _within_limit(fixed), tuple(personal), hook)
    return found


def _within_limit(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return those that have a value, as long as they fit into the header of a request."""
    kept, size = {}, 0
    for name, value in claims.items():
        length = len(jws.COMPACT.encode(value).encode())
        if value is not None and length <= MAX_CLAIM_VALUE and size + len(name) + length <= MAX_CLAIMS:
            kept[name] = value
            size += len(name) + length
    return kept


def _parse_datetime(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
