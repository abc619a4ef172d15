"""What a client's tokens may open, for whom, and how long they live."""

from urllib.parse import urlsplit

from clients import workloads
from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Api, Client, Scope
from clients.policy.texts import few, short
from clients.uris.redirect_uris import shown
from clients.vocabulary import IDENTITY_SCOPES, LIFESPANS, GrantType, TokenStrategy
from consumers.models import Consumer
from core.jose.algorithms import SigningAlgorithm

MAX_GRACE = 30  # seconds
LONGEST = 400 * 24 * 3600  # seconds, of any token
MAX_AGE = 10 * 365 * 24 * 3600  # seconds


def scope(metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None:
    """Allow what the operator gave the consumer, and OpenID Connect's scopes to clients that sign people in.

    What the client asked for already may stay, though it opens nothing while the consumer may not use it.
    """
    if len(set(metadata.scope)) != len(metadata.scope):
        raise InvalidClientMetadata("Name each permission once.", field="scope")
    allowed = set(Scope.objects.filter(access__consumer=consumer).values_list("value", flat=True))
    if GrantType.AUTHORIZATION_CODE in metadata.grant_types or GrantType.DEVICE_CODE in metadata.grant_types:
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
    """Ask a client that acts for itself for a permission: its token would open nothing.

    A workload needs none: its identity token is for others.
    """
    if metadata.environment_type:
        return
    if not metadata.scope and GrantType.CLIENT_CREDENTIALS in metadata.grant_types:
        raise InvalidClientMetadata(
            "Choose at least one permission. A token without any cannot call an API.", field="scope"
        )


def strategy(metadata: ClientMetadata) -> None:
    if metadata.access_token_strategy not in TokenStrategy.values:
        raise InvalidClientMetadata("Use jwt or opaque.", field="access_token_strategy")


def audience(metadata: ClientMetadata, consumer: Consumer, client: Client | None, trusted: bool) -> None:
    """Name what its tokens may be for besides the APIs of its scopes (RFC 8707 section 2).

    Any other name could make a token pass at an API that the consumer may not use, so it takes an operator. Only a
    workload, whose identity tokens no API of ours takes, may name what is no API of ours.
    """
    workloads.audience(metadata)
    kept = set(client.audience) if client is not None else set()
    asked = set(metadata.audience) - kept
    ours = set(Api.objects.filter(identifier__in=asked).values_list("identifier", flat=True)) if asked else set()
    usable = set(
        Api.objects.filter(identifier__in=ours, scopes__access__consumer=consumer).values_list("identifier", flat=True)
    )
    for name in sorted(asked):
        if not metadata.environment_type and not _absolute(name):
            raise InvalidClientMetadata(
                f"{shown(name)}: write an absolute URI without a fragment (RFC 8707 section 2).", field="audience"
            )
        if not (trusted or name in usable or (metadata.environment_type and name not in ours)):
            raise InvalidClientMetadata(
                f"{consumer} may not use an API called {shown(name)}. Ask the operator for it.", field="audience"
            )


def _absolute(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and "#" not in uri and uri.isprintable()


def lifespans(metadata: ClientMetadata) -> None:
    """Whole seconds by the names of LIFESPANS, which APIs and consumers may shorten further."""
    for name, seconds in metadata.lifespans.items():
        if name not in LIFESPANS:
            raise InvalidClientMetadata(f"{name}: no token of ours lives by it. Leave it out.", field=name)
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= LONGEST:
            raise InvalidClientMetadata(f"{name}: choose between a second and 400 days.", field=name)


def refresh_token_grace(metadata: ClientMetadata) -> None:
    """How long a refresh token still works after its successor was made (RFC 9700 section 4.14.2)."""
    if not 0 <= metadata.refresh_token_grace <= MAX_GRACE:
        raise InvalidClientMetadata(f"Choose between 0 and {MAX_GRACE} seconds.", field="refresh_token_grace")


def signed_responses(metadata: ClientMetadata) -> None:
    """Algorithms that we sign with (OpenID Connect Registration section 2)."""
    for field in ("id_token_signed_response_alg", "userinfo_signed_response_alg"):
        algorithm = getattr(metadata, field)
        if algorithm and algorithm not in SigningAlgorithm.values:
            raise InvalidClientMetadata(f"Use one of {', '.join(SigningAlgorithm.values)}.", field=field)


def authentication_context(metadata: ClientMetadata) -> None:
    """OpenID Connect Registration section 2, default_max_age and default_acr_values."""
    age = metadata.default_max_age
    if age is not None and not 0 <= age <= MAX_AGE:
        raise InvalidClientMetadata("Choose a number of seconds, 0 or more.", field="default_max_age")
    few(metadata.default_acr_values, 20, "default_acr_values")
    for value in metadata.default_acr_values:
        short(value, 200, "default_acr_values", "a value")
        if " " in value or not value:
            raise InvalidClientMetadata("A value has no space in it.", field="default_acr_values")


def trust(metadata: ClientMetadata, client: Client | None, trusted: bool) -> None:
    """Let operators alone decide which client needs no consent (OpenID Connect Core section 3.1.2.4)."""
    for field in ("skip_consent", "skip_logout_consent"):
        if getattr(metadata, field) and not trusted and not (client is not None and getattr(client, field)):
            raise InvalidClientMetadata("Only an operator can let a client do without consent.", field=field)
