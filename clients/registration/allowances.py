"""What dynamic registration allows, by initial access token, openly, or by metadata document (RFC 7591 section 3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client, DocumentHost, InitialAccessToken, OpenRegistration, Scope, SelfRegistration
from clients.models.registration import RegistrationLimits, RegistrationMethod
from clients.policy import api_policy, every
from clients.vocabulary import IDENTITY_SCOPES, GrantType, signs_users_in
from consumers.models import Consumer
from core.rest.errors import AccessDenied

INITIAL_ACCESS_TOKEN_PREFIX = "cdi_"
# What strangers' clients may use where nobody named grants: those in which a person signs in and allows it.
SIGN_IN_GRANTS = (GrantType.AUTHORIZATION_CODE.value, GrantType.REFRESH_TOKEN.value)


@dataclass(frozen=True)
class Allowance:
    """The consumer for which a client may be registered, the metadata it may have, and how long it lives."""

    consumer: Consumer
    method: RegistrationMethod | None  # None where people or their programs registered it
    label: str  # of the actor in events
    grant_types: tuple[str, ...] = tuple(GrantType.values)
    scopes: tuple[str, ...] | None = None  # None allows any of the consumer
    client_lifetime_days: int | None = None

    @classmethod
    def of(
        cls,
        row: RegistrationLimits,
        consumer: Consumer,
        method: RegistrationMethod,
        label: str,
        default_grant_types: Iterable[str] = SIGN_IN_GRANTS,
    ) -> "Allowance":
        """Return the allowance of the row's limits: no scope of an API that it does not name.

        Where it names none of IDENTITY_SCOPES either, clients that sign users in may have them all.
        """
        identity = () if IDENTITY_SCOPES.keys() & set(row.scopes) else tuple(IDENTITY_SCOPES)
        return cls(
            consumer,
            method,
            label,
            tuple(row.grant_types or default_grant_types),
            (*identity, *row.scopes),
            row.client_lifetime_days,
        )

    def client_expires_at(self) -> datetime | None:
        return timezone.now() + timedelta(days=self.client_lifetime_days) if self.client_lifetime_days else None

    def policy(self, metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None:
        """Run the rules for programs and this allowance's limits (a clients.policy.Policy). Raises Refusal."""
        every(
            (
                partial(api_policy, metadata, consumer, client),
                partial(self._check_limits, metadata),
                partial(self._check_authentication, metadata, client),
            )
        )

    def _check_limits(self, metadata: ClientMetadata) -> None:
        if self.method is not None and metadata.environment_type:
            raise InvalidClientMetadata(
                "Only people can register workloads. Leave environment_type, project and deployment out.",
                field="environment_type",
            )
        refused = [grant for grant in metadata.grant_types if grant not in self.grant_types]
        if refused:
            raise InvalidClientMetadata(
                f"Clients that register this way may not use {refused[0]}. Use {', '.join(self.grant_types)}.",
                field="grant_types",
            )
        beyond = [value for value in metadata.scope if self.scopes is not None and value not in self.scopes]
        if beyond:
            raise InvalidClientMetadata(
                f"Clients that register this way may not ask for “{beyond[0]}”. Leave it out, or ask whoever allows "
                "their registration to name it.",
                field="scope",
            )

    def _check_authentication(self, metadata: ClientMetadata, client: Client | None) -> None:
        """Keep how a client that manages itself authenticates: whoever holds its token could become the client."""
        if client is None or self.method in (None, RegistrationMethod.DOCUMENT):
            return
        if metadata.token_endpoint_auth_method != client.token_endpoint_auth_method:
            raise InvalidClientMetadata(
                f"A client cannot change how it authenticates: send {client.token_endpoint_auth_method}, or ask a "
                f"manager of {client.consumer} to change it.",
                field="token_endpoint_auth_method",
            )

    def with_default_scope(self, metadata: ClientMetadata) -> ClientMetadata:
        """Return the metadata with the scopes that were named for it where none is requested (RFC 7591 section 2)."""
        if metadata.scope:
            return metadata
        named = IDENTITY_SCOPES if self.scopes is None else self.scopes
        usable = set(Scope.objects.granted_to(self.consumer).filter(value__in=named).values_list("value", flat=True))
        if signs_users_in(metadata.grant_types):
            usable |= set(IDENTITY_SCOPES)
        return metadata.replace(scope=tuple(value for value in named if value in usable))


def for_initial_access_token(token: InitialAccessToken) -> Allowance:
    """Return what a client may be that registers with the token, by any grant unless it names some."""
    return Allowance.of(
        token,
        token.consumer,
        RegistrationMethod.INITIAL_ACCESS_TOKEN,
        f"initial access token {token}",
        default_grant_types=GrantType.values,
    )


def for_open_registration() -> Allowance:
    """Return what anybody may register, in the caller's transaction: one registration at a time.

    Raises AccessDenied where registration is not open, or its limit is reached.
    """
    rows = OpenRegistration.objects.select_related("consumer").select_for_update(of=("self",))  # for the count below
    row = rows.filter(consumer__suspended_at=None).first()
    if row is None:
        raise AccessDenied("Registration needs an initial access token. Ask a manager or operator for one.")
    if row.consumer.clients.count() >= row.max_clients:
        raise AccessDenied(
            "No more clients can be registered without a token for now. Ask for an initial access token."
        )
    return Allowance.of(row, row.consumer, RegistrationMethod.OPEN, "open registration")


def for_metadata_document(host: DocumentHost) -> Allowance:
    """Return what a client may be whose metadata document is on the host."""
    return Allowance.of(host, host.consumer, RegistrationMethod.DOCUMENT, f"metadata document on {host}")


def for_self_update(client: Client) -> Allowance:
    """Return what a client may change itself to: no more than when it registered (RFC 7592 section 2.2)."""
    row = SelfRegistration.objects.filter(client=client).first()
    if row is None:  # people registered it, and issued a registration access token to it
        return for_manager(client.consumer, client.client_name)
    return Allowance(
        client.consumer, RegistrationMethod(row.method), client.client_name, tuple(row.grant_types), tuple(row.scopes)
    )


def for_manager(consumer: Consumer, label: str) -> Allowance:
    """Return what a caller may register who may change the consumer's clients in any case."""
    return Allowance(consumer, None, label)
