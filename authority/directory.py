"""Clients as the token path sees them: one query brings everything that a token request needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.utils import timezone

from authority.models import SigningKey
from clients.models import Client, ClientSecret, Scope
from clients.vocabulary import IDENTITY_SCOPES, GrantType

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


@dataclass(frozen=True, slots=True)
class Entry:
    """A client, its live secrets, what it may ask for, and the keys that sign now."""

    client: Client
    secrets: tuple[Secret, ...]
    permissions: Mapping[str, Permission]
    active_keys: Mapping[str, str]  # algorithm to kid

    @property
    def is_usable(self) -> bool:
        return self.client.is_usable(None)

    def scopes_for(self, grant_type: str) -> list[str]:
        """Return every scope that the client may have by this grant, in a fixed order."""
        identity = [value for value in self.client.scopes if value in IDENTITY_SCOPES]
        return [*(identity if grant_type in PERSONAL_GRANTS else []), *self.permissions]


def find(client_id: str) -> Entry | None:
    """Return what is known of the client, in one query, or None."""
    if not client_id.isascii() or not client_id.isprintable() or len(client_id) > 255:
        return None
    client = entries().filter(client_id=client_id).first()
    return _entry(client) if client is not None else None


def entries() -> QuerySet[Client]:
    secrets = ClientSecret.objects.filter(client=OuterRef("pk")).live()
    access = Scope.objects.filter(access__consumer=OuterRef("consumer_id")).order_by("api_id", "id")
    keys = SigningKey.objects.filter(state=SigningKey.State.ACTIVE)
    annotated: QuerySet[Client] = Client.objects.select_related("consumer").annotate(
        live_secrets=ArraySubquery(
            secrets.values(
                row=JSONObject(id="id", pepper_version="pepper_version", digest="digest", expires_at="expires_at")
            )
        ),
        access=ArraySubquery(
            access.values(
                row=JSONObject(
                    value="value",
                    audience=F("api__identifier"),
                    algorithm=F("api__signing_algorithm"),
                    lifetime=F("api__access_token_lifetime"),
                )
            )
        ),
        active_keys=ArraySubquery(keys.values(row=JSONObject(algorithm="algorithm", kid="kid"))),
    )
    return annotated


def _entry(client: Client) -> Entry:
    rows = client.__dict__
    asked = set(client.scopes)
    return Entry(
        client=client,
        secrets=tuple(
            Secret(
                id=UUID(row["id"]),
                pepper_version=row["pepper_version"],
                digest=row["digest"],
                expires_at=row["expires_at"] and datetime.fromisoformat(row["expires_at"]),
            )
            for row in rows.pop("live_secrets")
        ),
        permissions={row["value"]: Permission(**row) for row in rows.pop("access") if row["value"] in asked},
        active_keys={row["algorithm"]: row["kid"] for row in rows.pop("active_keys")},
    )
