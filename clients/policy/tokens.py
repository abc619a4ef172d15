"""Rules for a client's tokens: scope, audience, format and lifetime."""

from clients import workloads
from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Api, Client, Scope
from clients.policy.texts import at_most, short_text
from clients.uris.redirect_uris import quoted
from clients.vocabulary import IDENTITY_SCOPES, LIFESPANS, GrantType, TokenStrategy, signs_users_in
from consumers.models import Consumer
from core.jose.algorithms import SigningAlgorithm
from core.uris import is_absolute

MAX_GRACE = 30  # seconds
MAX_LIFESPAN = 400 * 24 * 3600  # seconds, of any token
MAX_AGE = 10 * 365 * 24 * 3600  # seconds


def scope(metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None:
    """Allow the consumer's scopes, and OpenID Connect's for clients that sign users in (RFC 6749 section 3.3).

    A scope that is registered already may stay; it is not granted while the consumer may not use it.
    """
    if len(set(metadata.scope)) != len(metadata.scope):
        raise InvalidClientMetadata("Name each permission once.", field="scope")
    allowed = set(Scope.objects.granted_to(consumer).values_list("value", flat=True))
    if signs_users_in(metadata.grant_types):
        allowed |= set(IDENTITY_SCOPES)
    if client is not None:
        allowed |= set(client.scopes)
    for value in metadata.scope:
        if value not in allowed:
            raise InvalidClientMetadata(
                f"{consumer} may not use the permission “{value}”. "
                "Choose from those listed, or ask the operator for it.",
                field="scope",
            )


def some_permission(metadata: ClientMetadata) -> None:
    """Require a scope with client_credentials: a token without one is of no use.

    A workload needs none, because its identity tokens are for others.
    """
    if metadata.environment_type:
        return
    if not metadata.scope and GrantType.CLIENT_CREDENTIALS in metadata.grant_types:
        raise InvalidClientMetadata(
            "Choose at least one permission. A token without any cannot call an API.", field="scope"
        )


def access_token_strategy(metadata: ClientMetadata) -> None:
    if metadata.access_token_strategy not in TokenStrategy.values:
        raise InvalidClientMetadata("Use jwt or opaque.", field="access_token_strategy")


def audience(metadata: ClientMetadata, consumer: Consumer, client: Client | None, *, by_operator: bool) -> None:
    """Allow audiences besides the APIs of the client's scopes (RFC 8707 section 2).

    With any other name its access tokens could pass where the consumer has no access, at APIs that are not registered
    here too, so that takes an operator.
    """
    workloads.audiences("audience", metadata)
    registered = set(client.audience) if client is not None else set()
    added = set(metadata.audience) - registered
    of_consumer = Api.objects.granted_to(consumer).filter(identifier__in=added)
    usable = set(of_consumer.values_list("identifier", flat=True)) if added and not by_operator else set()
    for name in sorted(added):
        if not is_absolute(name):
            raise InvalidClientMetadata(
                f"{quoted(name)}: write an absolute URI without a fragment (RFC 8707 section 2).", field="audience"
            )
        if not (by_operator or name in usable):
            raise InvalidClientMetadata(
                f"{consumer} may not use an API called {quoted(name)}. Ask the operator for it.", field="audience"
            )


def lifespans(metadata: ClientMetadata) -> None:
    """Require names of LIFESPANS with whole seconds; APIs and consumers may shorten them further."""
    for name, seconds in metadata.lifespans.items():
        if name not in LIFESPANS:
            raise InvalidClientMetadata(f"{name}: it is not the lifetime of any token. Leave it out.", field=name)
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= MAX_LIFESPAN:
            raise InvalidClientMetadata(f"{name}: choose between a second and 400 days.", field=name)


def refresh_token_grace(metadata: ClientMetadata) -> None:
    """Limit the grace period of refresh token rotation (RFC 9700 section 4.14.2)."""
    if not 0 <= metadata.refresh_token_grace <= MAX_GRACE:
        raise InvalidClientMetadata(f"Choose between 0 and {MAX_GRACE} seconds.", field="refresh_token_grace")


def signed_responses(metadata: ClientMetadata) -> None:
    """Require algorithms that the portal signs with (OpenID Connect Registration section 2)."""
    for field in ("id_token_signed_response_alg", "userinfo_signed_response_alg"):
        algorithm = getattr(metadata, field)
        if algorithm and algorithm not in SigningAlgorithm.values:
            raise InvalidClientMetadata(f"Use one of {', '.join(SigningAlgorithm.values)}.", field=field)


def authentication_context(metadata: ClientMetadata) -> None:
    """OpenID Connect Registration section 2, default_max_age and default_acr_values."""
    age = metadata.default_max_age
    if age is not None and not 0 <= age <= MAX_AGE:
        raise InvalidClientMetadata("Choose a number of seconds, 0 or more.", field="default_max_age")
    at_most(metadata.default_acr_values, 20, "default_acr_values")
    for value in metadata.default_acr_values:
        short_text(value, 200, "default_acr_values", "a value")
        if " " in value or not value:
            raise InvalidClientMetadata("A value has no space in it.", field="default_acr_values")


def skip_consent(metadata: ClientMetadata, client: Client | None, *, by_operator: bool) -> None:
    """Let operators alone decide which client needs no consent (OpenID Connect Core section 3.1.2.4)."""
    for field in ("skip_consent", "skip_logout_consent"):
        if getattr(metadata, field) and not by_operator and not (client is not None and getattr(client, field)):
            raise InvalidClientMetadata("Only an operator can let a client skip consent.", field=field)
