"""Every change to what lets clients register themselves, and what they do to themselves."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from clients.actions import clients as client_actions
from clients.actions import locks
from clients.metadata import ClientMetadata
from clients.models import (
    Client,
    DocumentHost,
    InitialToken,
    OpenRegistration,
    RegistrationToken,
    Scope,
    SelfRegistration,
    SoftwareIssuer,
)
from clients.policy.uris import may_be_asked
from clients.registration.allowances import PREFIX, Permit
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from consumers import audit, policy
from consumers.audit import Actor, EventName
from consumers.models import Consumer
from core import credentials
from core.errors import Conflict, Refusal
from core.jose import jwk

MANAGES = "cdr_"  # how registration access tokens begin
LONGEST = timedelta(days=366)
MAX_LIVE = 50  # initial access tokens of a consumer


# -- Initial access tokens --------------------------------------------------------------------------------------------


@transaction.atomic
def create_initial_token(
    *,
    consumer: Consumer,
    name: str,
    expires_at: datetime,
    actor: Actor,
    uses: int | None = 1,
    grant_types: Iterable[str] = (),
    scopes: Iterable[str] = (),
    client_days: int | None = None,
) -> tuple[InitialToken, str]:
    """Make a token that lets programs register clients; its text is readable only in this return value.

    Raises Refusal.
    """
    locks.require_active(consumer)
    name = name.strip()
    if not name or len(name) > 60:
        raise Refusal("Name the token in up to 60 characters, by who will use it.", field="name")
    policy.plain_name(name, "name")
    if not timezone.now() < expires_at <= timezone.now() + LONGEST:
        raise Refusal("Let it end between now and a year from now.", field="expires_at")
    if uses is not None and not 1 <= uses <= 100_000:
        raise Refusal("Let it be used once to 100,000 times.", field="uses")
    _check_limits(consumer, grant_types := tuple(grant_types), scopes := tuple(scopes), client_days)
    Consumer.objects.select_for_update().get(pk=consumer.pk)
    if consumer.initial_tokens.live().count() >= MAX_LIVE:
        raise Conflict(f"{consumer} has {MAX_LIVE} live tokens already. Revoke one that is not needed.")
    text, version = credentials.generate(PREFIX), credentials.current_pepper()
    token = InitialToken.objects.create(
        consumer=consumer,
        name=name,
        digest=credentials.digest(text, version),
        pepper_version=version,
        hint=text[-4:],
        uses=uses,
        grant_types=list(grant_types),
        scopes=list(scopes),
        client_days=client_days,
        expires_at=expires_at,
        created_by=actor.user,
        created_by_label=actor.label,
    )
    detail = {"name": name, "hint": token.hint, "uses": uses, "expires_at": expires_at.isoformat()}
    audit.record(EventName.INITIAL_TOKEN_CREATED, actor=actor, consumer=consumer, target=token, detail=detail)
    return token, text


def _check_limits(
    consumer: Consumer, grant_types: tuple[str, ...], scopes: tuple[str, ...], client_days: int | None
) -> None:
    """Refuse limits that allow nothing, or more than the consumer has."""
    unknown = [grant for grant in grant_types if grant not in GrantType.values]
    if unknown:
        raise Refusal(f"The grant type “{unknown[0]}” is not offered.", field="grant_types")
    allowed = {*Scope.objects.filter(access__consumer=consumer).values_list("value", flat=True), *IDENTITY_SCOPES}
    beyond = [value for value in scopes if value not in allowed]
    if beyond:
        raise Refusal(f"{consumer} may not use the permission “{beyond[0]}”.", field="scopes")
    if client_days is not None and not 1 <= client_days <= 3650:
        raise Refusal("Let clients end after 1 to 3,650 days, or never.", field="client_days")


@transaction.atomic
def revoke_initial_token(*, token: InitialToken, actor: Actor) -> None:
    """End the token now; clients that were registered with it stay."""
    if not InitialToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        raise Conflict("This token has been revoked already.")
    detail = {"name": token.name, "hint": token.hint}
    audit.record(EventName.INITIAL_TOKEN_REVOKED, actor=actor, consumer=token.consumer, target=token, detail=detail)


# -- The open door ----------------------------------------------------------------------------------------------------


@transaction.atomic
def open_registration(
    *,
    consumer: Consumer,
    actor: Actor,
    grant_types: Iterable[str] = (),
    scopes: Iterable[str] = (),
    client_days: int | None = None,
    idle_days: int = 30,
    most_clients: int = 1000,
) -> OpenRegistration:
    """Let anybody register clients for this consumer, and for no other any more. Raises Refusal."""
    locks.require_active(consumer)
    _check_limits(consumer, grant_types := tuple(grant_types), scopes := tuple(scopes), client_days)
    if not 1 <= idle_days <= 3650:
        raise Refusal("Delete idle clients after 1 to 3,650 days.", field="idle_days")
    door, _ = OpenRegistration.objects.update_or_create(
        only=True,
        defaults={
            "consumer": consumer,
            "grant_types": list(grant_types),
            "scopes": list(scopes),
            "client_days": client_days,
            "idle_days": idle_days,
            "most_clients": most_clients,
        },
    )
    audit.record(EventName.REGISTRATION_OPENED, actor=actor, consumer=consumer, target=consumer)
    return door


@transaction.atomic
def close_registration(*, actor: Actor) -> None:
    """Let nobody register without a token; clients that did so stay."""
    door = OpenRegistration.objects.select_related("consumer").first()
    if door is not None:
        door.delete()
        audit.record(EventName.REGISTRATION_CLOSED, actor=actor, consumer=door.consumer, target=door.consumer)


# -- Whom the operator trusts to describe clients ---------------------------------------------------------------------


@transaction.atomic
def save_source(*, source: DocumentHost | SoftwareIssuer, actor: Actor) -> None:
    """Trust a host's metadata documents, or an issuer's software statements, as the row says. Raises Refusal."""
    check_source(source)
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError:
        field = "host" if isinstance(source, DocumentHost) else "issuer"
        raise Conflict(f"{source} is trusted already.", field=field) from None
    audit.record(EventName.REGISTRATION_SOURCE_SAVED, actor=actor, target=source)


def check_source(source: DocumentHost | SoftwareIssuer) -> None:
    """Refuse a source that could describe nothing, or whose keys could not be used."""
    policy.valid(source)
    if isinstance(source, DocumentHost):
        _check_limits(source.consumer, tuple(source.grant_types), tuple(source.scopes), source.client_days)
    elif bool(source.jwks) == bool(source.jwks_uri):
        raise Refusal("Give its public keys or their address: one of the two.", field="jwks_uri")
    elif source.jwks_uri:
        may_be_asked(source.jwks_uri, "jwks_uri")
    else:
        try:
            jwk.check(source.jwks)
        except jwk.UnfitKey as reason:
            raise Refusal(str(reason), field="jwks") from None


@transaction.atomic
def delete_source(*, source: DocumentHost | SoftwareIssuer, actor: Actor) -> None:
    """Trust it no more; clients that were registered by it stay."""
    audit.record(EventName.REGISTRATION_SOURCE_DELETED, actor=actor, target=source)
    source.delete()


# -- What clients do to themselves ------------------------------------------------------------------------------------


@transaction.atomic
def register(
    *, permit: Permit, metadata: ClientMetadata, actor: Actor, software_issuer: str = ""
) -> tuple[Client, str | None, str]:
    """Register a client that asks for it itself; return it with its secret, if it holds one, and its token.

    Both texts are readable only in this return value. Raises Refusal.
    """
    metadata = permit.completed(metadata)
    client, secret = client_actions.register_client(
        consumer=permit.consumer, metadata=metadata, policy=permit.policy(), actor=actor
    )
    if permit.how is not None:
        SelfRegistration.objects.create(
            client=client,
            how=permit.how,
            grant_types=list(permit.grant_types),
            scopes=list(permit.scopes),
            software_issuer=software_issuer,
        )
    end = permit.expires_at()
    if end is not None:
        client.expires_at = end
        client.save(update_fields=["expires_at"])
    return client, secret, _give_token(client)


@transaction.atomic
def update(*, client: Client, metadata: ClientMetadata, permit: Permit, actor: Actor) -> tuple[Client, str]:
    """Replace the client's metadata, and its registration access token with it (RFC 7592 section 2.2)."""
    metadata = permit.completed(metadata)
    client = client_actions.update_client(client=client, metadata=metadata, policy=permit.policy(client), actor=actor)
    return client, _give_token(client)


def _give_token(client: Client) -> str:
    """Make the client's registration access token; a former one works no longer."""
    text, version = credentials.generate(MANAGES), credentials.current_pepper()
    RegistrationToken.objects.update_or_create(
        client=client,
        defaults={
            "digest": credentials.digest(text, version),
            "pepper_version": version,
            "created_at": timezone.now(),
        },
    )
    return text


def find_managed(text: str, client_id: str) -> Client | None:
    """Return the client that the registration access token manages, if it is the one that the address names."""
    if not credentials.looks_real(text, MANAGES):
        return None
    tokens = RegistrationToken.objects.select_related("client__consumer")
    found = tokens.filter(digest__in=credentials.digests(text), client__client_id=client_id).first()
    return found.client if found is not None and found.client.is_usable(None) else None
