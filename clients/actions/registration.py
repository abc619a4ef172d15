"""Writes of dynamic registration: initial access tokens, open registration, metadata sources, and clients' own."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Model
from django.utils import timezone

from clients import documents
from clients.actions import clients as client_actions
from clients.actions import locks
from clients.events import ClientEvent
from clients.metadata import ClientMetadata
from clients.models import (
    Client,
    DocumentHost,
    InitialAccessToken,
    OpenRegistration,
    RegistrationAccessToken,
    Scope,
    SelfRegistration,
    SoftwareIssuer,
)
from clients.models.registration import a_year_from_now
from clients.policy import actors
from clients.policy.uris import fetchable_uri
from clients.registration.allowances import INITIAL_ACCESS_TOKEN_PREFIX, Allowance, for_initial_access_token
from clients.registration.errors import InvalidRegistrationToken
from clients.registration.statements import SoftwareStatement
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from consumers import audit, policy
from consumers.audit import Actor
from consumers.models import Consumer, PersonalToken, Role, User
from core import credentials
from core.errors import Conflict, Refusal
from core.jose import jwk
from core.limits import longest, numbers

REGISTRATION_ACCESS_TOKEN_PREFIX = "cdr_"
MAX_LIFETIME = timedelta(days=366)
MAX_NAME = longest(InitialAccessToken, "name")
MAX_LIVE_TOKENS = 50  # initial access tokens of a consumer


# -- Initial access tokens (RFC 7591 section 1.2) ---------------------------------------------------------------------


@transaction.atomic
def create_initial_access_token(
    *,
    consumer: Consumer,
    name: str,
    expires_at: datetime,
    actor: Actor,
    max_uses: int | None = 1,
    grant_types: Iterable[str] = (),
    scopes: Iterable[str] = (),
    client_lifetime_days: int | None = None,
) -> tuple[InitialAccessToken, str]:
    """Create an initial access token; its text is readable only in this return value. Raises Refusal."""
    locks.lock_active_consumer(consumer)
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME:
        raise Refusal(f"Name the token in up to {MAX_NAME} characters, by who will use it.", field="name")
    policy.plain_name(name, "name")
    if not timezone.now() < expires_at <= timezone.now() + MAX_LIFETIME:
        raise Refusal("Let it expire between now and a year from now.", field="expires_at")
    _check_number(InitialAccessToken, "max_uses", max_uses, "Let it be used {} to {} times.")
    _check_limits(consumer, grant_types := tuple(grant_types), scopes := tuple(scopes), client_lifetime_days)
    actors.let_register(actor, consumer, scopes)
    Consumer.objects.select_for_update().get(pk=consumer.pk)
    if consumer.initial_access_tokens.live().count() >= MAX_LIVE_TOKENS:
        raise Conflict(f"{consumer} has {MAX_LIVE_TOKENS} active tokens already. Revoke one that is not needed.")
    text, version = credentials.generate(INITIAL_ACCESS_TOKEN_PREFIX), credentials.current_pepper()
    token = InitialAccessToken.objects.create(
        consumer=consumer,
        name=name,
        digest=credentials.keyed_digest(text, version),
        pepper_version=version,
        hint=text[-4:],
        max_uses=max_uses,
        grant_types=list(grant_types),
        scopes=list(scopes),
        client_lifetime_days=client_lifetime_days,
        expires_at=expires_at,
        created_by=actor.user,
        created_by_label=actor.label,
    )
    detail = {"name": name, "hint": token.hint, "max_uses": max_uses, "expires_at": expires_at.isoformat()}
    audit.record(ClientEvent.INITIAL_ACCESS_TOKEN_CREATED, actor=actor, consumer=consumer, target=token, detail=detail)
    return token, text


def _check_limits(
    consumer: Consumer, grant_types: tuple[str, ...], scopes: tuple[str, ...], client_lifetime_days: int | None
) -> None:
    """Refuse unknown grant types, and scopes that the consumer may not use."""
    unknown = [grant for grant in grant_types if grant not in GrantType.values]
    if unknown:
        raise Refusal(f"The grant type “{unknown[0]}” is not offered.", field="grant_types")
    allowed = {*Scope.objects.granted_to(consumer).values_list("value", flat=True), *IDENTITY_SCOPES}
    beyond = [value for value in scopes if value not in allowed]
    if beyond:
        raise Refusal(f"{consumer} may not use the permission “{beyond[0]}”.", field="scopes")
    _check_number(
        InitialAccessToken,
        "client_lifetime_days",
        client_lifetime_days,
        "Let clients expire after {} to {} days, or never.",
    )


def _check_number(model: type[Model], field: str, value: int | None, told: str) -> None:
    least, largest = numbers(model, field)
    if value is not None and not least <= value <= largest:
        raise Refusal(told.format(f"{least:,}", f"{largest:,}"), field=field)


@transaction.atomic
def revoke_initial_access_token(*, token: InitialAccessToken, actor: Actor) -> None:
    """Revoke the token now; clients that were registered with it stay. Raises Conflict."""
    if not InitialAccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        raise Conflict("This token has been revoked already.")
    detail = {"name": token.name, "hint": token.hint}
    audit.record(
        ClientEvent.INITIAL_ACCESS_TOKEN_REVOKED, actor=actor, consumer=token.consumer, target=token, detail=detail
    )


def use_initial_access_token(text: str) -> Allowance:
    """Count one use of the token, in the caller's transaction: a refused registration rolls it back.

    Raises InvalidRegistrationToken, the same for unknown, expired, used up and revoked ones (RFC 7591 section 3).
    """
    if not credentials.is_well_formed(text, INITIAL_ACCESS_TOKEN_PREFIX):
        raise InvalidRegistrationToken
    live = InitialAccessToken.objects.live().filter(digest__in=credentials.keyed_digests(text))
    token = live.select_for_update(of=("self",)).select_related("consumer").first()
    if token is None:
        raise InvalidRegistrationToken
    InitialAccessToken.objects.filter(pk=token.pk).update(use_count=F("use_count") + 1, last_used_at=timezone.now())
    credentials.redigest(token, text)
    return for_initial_access_token(token)


# -- Open registration ------------------------------------------------------------------------------------------------


@transaction.atomic
def enable_open_registration(
    *,
    consumer: Consumer,
    actor: Actor,
    grant_types: Iterable[str] = (),
    scopes: Iterable[str] = (),
    client_lifetime_days: int | None = None,
    idle_days: int = 30,
    max_clients: int = 1000,
) -> OpenRegistration:
    """Open registration for this consumer, in place of any other. Raises Refusal."""
    locks.lock_active_consumer(consumer)
    _check_limits(consumer, grant_types := tuple(grant_types), scopes := tuple(scopes), client_lifetime_days)
    actors.let_register(actor, consumer, scopes)
    _check_number(OpenRegistration, "idle_days", idle_days, "Delete idle clients after {} to {} days.")
    _check_number(OpenRegistration, "max_clients", max_clients, "Allow {} to {} clients at a time.")
    row, _ = OpenRegistration.objects.update_or_create(
        singleton=True,
        defaults={
            "consumer": consumer,
            "grant_types": list(grant_types),
            "scopes": list(scopes),
            "client_lifetime_days": client_lifetime_days,
            "idle_days": idle_days,
            "max_clients": max_clients,
        },
    )
    audit.record(ClientEvent.REGISTRATION_ENABLED, actor=actor, consumer=consumer, target=consumer)
    return row


@transaction.atomic
def disable_open_registration(*, actor: Actor) -> None:
    """Close open registration; clients that were registered openly stay."""
    row = OpenRegistration.objects.select_related("consumer").first()
    if row is not None:
        row.delete()
        audit.record(ClientEvent.REGISTRATION_DISABLED, actor=actor, consumer=row.consumer, target=row.consumer)


# -- Metadata sources: hosts of metadata documents, and issuers of software statements --------------------------------


@transaction.atomic
def save_metadata_source(*, source: DocumentHost | SoftwareIssuer, actor: Actor) -> None:
    """Save a host of metadata documents, or an issuer of software statements. Raises Refusal."""
    check_metadata_source(source)
    if isinstance(source, DocumentHost):
        actors.let_register(actor, source.consumer, source.scopes)
    try:
        with transaction.atomic():
            source.save()
    except IntegrityError:
        field = "host" if isinstance(source, DocumentHost) else "issuer"
        raise Conflict(f"{source} is trusted already.", field=field) from None
    audit.record(ClientEvent.REGISTRATION_SOURCE_SAVED, actor=actor, target=source)


def check_metadata_source(source: DocumentHost | SoftwareIssuer) -> None:
    """Refuse limits that the consumer does not have, and keys that cannot verify signatures."""
    policy.model_fields(source)
    if isinstance(source, DocumentHost):
        _check_limits(source.consumer, tuple(source.grant_types), tuple(source.scopes), source.client_lifetime_days)
    elif bool(source.jwks) == bool(source.jwks_uri):
        raise Refusal("Give its public keys or their URL: one of the two.", field="jwks_uri")
    elif source.jwks_uri:
        fetchable_uri(source.jwks_uri, "jwks_uri")
    else:
        try:
            jwk.check(source.jwks)
        except jwk.UnfitKey as reason:
            raise Refusal(str(reason), field="jwks") from None


@transaction.atomic
def delete_metadata_source(*, source: DocumentHost | SoftwareIssuer, actor: Actor) -> None:
    """Delete the source; clients that were registered by it stay."""
    audit.record(ClientEvent.REGISTRATION_SOURCE_DELETED, actor=actor, target=source)
    source.delete()


# -- Clients that register and update themselves (RFC 7591, RFC 7592) -------------------------------------------------


@transaction.atomic
def register_itself(
    *, allowance: Allowance, metadata: ClientMetadata, actor: Actor, statement: SoftwareStatement | None = None
) -> tuple[Client, str | None, str]:
    """Register a client on its own request; return it with its secret, if it has one, and registration access token.

    Both are readable only in this return value (RFC 7591 section 3.2.1, RFC 7592 section 3). A client that a person's
    token registers gets none: that person manages it with theirs. Raises Refusal.
    """
    client, secret = client_actions.register_client(
        consumer=allowance.consumer,
        metadata=allowance.with_default_scope(metadata),
        policy=allowance.policy,
        actor=actor,
    )
    if allowance.method is not None:
        SelfRegistration.objects.create(
            client=client,
            method=allowance.method,
            grant_types=list(allowance.grant_types),
            scopes=list(allowance.scopes or ()),
            **_kept(statement),
        )
    expires_at = allowance.client_expires_at()
    if expires_at is not None:
        client.expires_at = expires_at
        client.save(update_fields=["expires_at"])
    return client, secret, _issue_registration_access_token(client) if allowance.method is not None else ""


@transaction.atomic
def update_itself(
    *,
    client: Client,
    change: Callable[[ClientMetadata], ClientMetadata],
    allowance: Allowance,
    actor: Actor,
    statement: SoftwareStatement | None = None,
    registration_access_token: str = "",
    personal_token: PersonalToken | None = None,
) -> tuple[Client, str]:
    """Change the client's metadata, and replace its registration access token (RFC 7592 section 2.2). Raises Refusal.

    The former token no longer works; the new one is readable only in this return value, and ends with the right of the
    person who asks for it, if one does. Of requests that use one `registration_access_token` at the same moment the
    first is carried out, and the others are refused.
    """
    client = locks.lock_client(client)
    maker, made_with = actor.user, personal_token
    if maker is not None:
        actors.decide_trust(actor, client)  # the token that it gets can change all of this
    if registration_access_token:
        former = find_registration_access_token(registration_access_token, client.client_id)
        if former is None:
            raise InvalidRegistrationToken
        maker, made_with = former.created_by, former.personal_token
    own = SelfRegistration.objects.filter(client=client)
    if statement is not None:
        own.update(signed_members=[])  # what the former statement signed gives way to what this one signs
    client = client_actions.update_client(
        client=client,
        change=lambda registered: allowance.with_default_scope(change(registered)),
        policy=allowance.policy,
        actor=actor,
    )
    if statement is not None:
        own.update(**_kept(statement))
        client = Client.objects.select_related("consumer", "self_registration").get(pk=client.pk)
    if getattr(client, "self_registration", None) is None or (maker is None and not registration_access_token):
        return client, ""
    return client, _issue_registration_access_token(client, maker, made_with)


def _kept(statement: SoftwareStatement | None) -> dict[str, Any]:
    """Return what SelfRegistration keeps of the statement."""
    if statement is None:
        return {}
    signed = sorted(filter(documents.signable, statement.signed))
    return {
        "software_issuer": statement.issuer,
        "software_statement": statement.text,
        "signed_members": signed,
    }


def _issue_registration_access_token(
    client: Client, maker: User | None = None, personal_token: PersonalToken | None = None
) -> str:
    """Create or replace the client's registration access token; it ends with the client at the latest."""
    text, version = credentials.generate(REGISTRATION_ACCESS_TOKEN_PREFIX), credentials.current_pepper()
    RegistrationAccessToken.objects.update_or_create(
        client=client,
        defaults={
            "digest": credentials.keyed_digest(text, version),
            "pepper_version": version,
            "hint": text[-4:],
            "created_at": timezone.now(),
            "created_by": maker,
            "personal_token": personal_token,
            "expires_at": min(filter(None, (a_year_from_now(), client.expires_at))),
        },
    )
    return text


def find_registration_access_token(text: str, client_id: str) -> RegistrationAccessToken | None:
    """Return the token if it is the one of the client with this ID, and both are usable, or None."""
    if not credentials.is_well_formed(text, REGISTRATION_ACCESS_TOKEN_PREFIX):
        return None
    live = RegistrationAccessToken.objects.live().filter(
        digest__in=credentials.keyed_digests(text), client__client_id=client_id
    )
    token = live.select_related("client__consumer", "created_by", "personal_token").first()
    if token is None or not token.client.is_usable(None) or not _maker_may_change(token):
        return None
    credentials.redigest(token, text)
    return token


def _maker_may_change(token: RegistrationAccessToken) -> bool:
    """Whether the person who made the token, if one did, may still change the client with what they used then."""
    maker, used = token.created_by, token.personal_token
    if maker is None:
        return True
    if not maker.is_active or (used is not None and used.ended_at is not None):
        return False
    is_operator = maker.has_operator_rights and maker.has_perm("clients.change_client")
    return is_operator or token.client.consumer.memberships.filter(user=maker, role=Role.MANAGER).exists()


@transaction.atomic
def revoke_registration_access_token(*, client: Client, actor: Actor) -> None:
    """Revoke the token with which the client manages itself; the client stays. Raises Conflict where it has none."""
    client = locks.lock_client(client)
    if not RegistrationAccessToken.objects.filter(client=client).delete()[0]:
        raise Conflict("This client has no registration access token, or it has been revoked already.")
    audit.record(ClientEvent.REGISTRATION_ACCESS_TOKEN_REVOKED, actor=actor, consumer=client.consumer, target=client)
