"""What lets a client register itself: an initial access token, an open door, or a host of metadata documents."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db.models import F
from django.utils import timezone

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client, DocumentHost, InitialToken, OpenRegistration, Scope, SelfRegistration
from clients.models.registration import Limits, Origin
from clients.policy import Policy, api_policy, every
from clients.registration.errors import AccessDenied, InvalidToken
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from consumers.models import Consumer
from core import credentials

PREFIX = "cdi_"


@dataclass(frozen=True)
class Permit:
    """For whom clients may be registered, what they may be, and when they end."""

    consumer: Consumer
    how: Origin | None  # None where people or their programs did it
    label: str  # as the activity names the doer
    grant_types: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    client_days: int | None = None

    @classmethod
    def of(cls, row: Limits, consumer: Consumer, how: Origin, label: str) -> "Permit":
        return cls(consumer, how, label, tuple(row.grant_types), tuple(row.scopes), row.client_days)

    def expires_at(self) -> datetime | None:
        return timezone.now() + timedelta(days=self.client_days) if self.client_days else None

    def policy(self, client: Client | None = None) -> Policy:
        """Return the rules of every door, and what this permit narrows."""
        rules = api_policy(self.consumer, client)

        def check(metadata: ClientMetadata) -> None:
            every((partial(rules, metadata), partial(self.narrow, metadata)))

        return check

    def narrow(self, metadata: ClientMetadata) -> None:
        beyond = [grant for grant in metadata.grant_types if self.grant_types and grant not in self.grant_types]
        if beyond:
            raise InvalidClientMetadata(
                f"Clients that register this way may not use {beyond[0]}. Use {', '.join(self.grant_types)}.",
                field="grant_types",
            )
        outside = [value for value in metadata.scope if self.scopes and value not in self.scopes]
        if outside:
            raise InvalidClientMetadata(
                f"Clients that register this way may not ask for “{outside[0]}”.", field="scope"
            )

    def completed(self, metadata: ClientMetadata) -> ClientMetadata:
        """Return the metadata with a scope where none was asked for: all that is allowed (RFC 7591 section 2)."""
        if metadata.scope:
            return metadata
        values = Scope.objects.filter(access__consumer=self.consumer).order_by("pk").values_list("value", flat=True)
        personal = GrantType.AUTHORIZATION_CODE in metadata.grant_types or GrantType.DEVICE_CODE in metadata.grant_types
        known = [*(IDENTITY_SCOPES if personal else ()), *values]
        return metadata.but(scope=tuple(value for value in known if not self.scopes or value in self.scopes))


def by_initial_token(text: str) -> Permit:
    """Spend one use of the token, in the caller's transaction: a refused registration gives it back.

    Raises InvalidToken, the same for unknown, ended, spent and revoked ones (RFC 7591 section 3).
    """
    if not credentials.looks_real(text, PREFIX):
        raise InvalidToken()
    live = InitialToken.objects.live().filter(digest__in=credentials.digests(text))
    token = live.select_for_update(of=("self",)).select_related("consumer").first()
    if token is None:
        raise InvalidToken()
    InitialToken.objects.filter(pk=token.pk).update(used=F("used") + 1, last_used_at=timezone.now())
    return Permit.of(token, token.consumer, Origin.INITIAL_TOKEN, f"initial access token {token}")


def openly() -> Permit:
    """Return what anybody may register. Raises AccessDenied where nothing is open, or everything is taken."""
    door = OpenRegistration.objects.select_related("consumer").filter(consumer__suspended_at=None).first()
    if door is None:
        raise AccessDenied("Registration needs an initial access token. Ask a manager or operator for one.")
    if door.consumer.clients.count() >= door.most_clients:
        raise AccessDenied("No more clients can be registered openly for now. Ask for an initial access token.")
    return Permit.of(door, door.consumer, Origin.OPEN, "open registration")


def by_host(host: DocumentHost) -> Permit:
    return Permit.of(host, host.consumer, Origin.DOCUMENT, f"metadata document on {host}")


def by_itself(client: Client) -> Permit:
    """Return what a client may make of itself: no more than when it registered."""
    known = SelfRegistration.objects.filter(client=client).first()
    if known is None:  # people registered it, and gave it a token
        return by_manager(client.consumer, client.client_name)
    return Permit(client.consumer, None, client.client_name, tuple(known.grant_types), tuple(known.scopes))


def by_manager(consumer: Consumer, label: str) -> Permit:
    """Return what somebody may register who may change the consumer's clients anyway."""
    return Permit(consumer, None, label)
