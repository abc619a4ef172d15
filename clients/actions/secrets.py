"""Writes of client secrets: create, rotate, expire, revoke."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clients import emails, secrets
from clients.actions.locks import lock_active_consumer, lock_client
from clients.actions.secret_policy import latest_expiry
from clients.errors import InvalidClientMetadata
from clients.events import ClientEvent
from clients.models import MAX_LIVE_SECRETS, Client, ClientSecret
from clients.policy import actors, plain_text
from clients.policy.grants import NO_SECRETS
from consumers import audit
from consumers.audit import SYSTEM, Actor
from consumers.models import Consumer
from core.errors import Conflict, Refusal
from core.limits import longest


@dataclass(frozen=True)
class End:
    """The end of a rotated secret: a time, or GRACE_AFTER_FIRST_USE after the first use of its successor."""

    at: datetime | None = None
    after_first_use: bool = False


MAX_NAME = longest(ClientSecret, "name")
GRACE_AFTER_FIRST_USE = timedelta(days=1)


@transaction.atomic
def create_secret(
    *, client: Client, name: str, actor: Actor, expires_at: datetime | None = None
) -> tuple[ClientSecret, str]:
    """Create a secret of the client; its text is readable only in this return value. Raises Refusal."""
    client = lock_client(client)
    consumer = lock_active_consumer(client.consumer)
    actors.handle_secrets(actor, client)
    secret, text = insert_secret(client, consumer, actor, name, expires_at)
    detail = {"hint": secret.hint, "name": secret.name}
    audit.record(ClientEvent.SECRET_CREATED, actor=actor, consumer=client.consumer, target=client, detail=detail)
    return secret, text


@transaction.atomic
def rotate_secret(
    *, secret: ClientSecret, end: End, actor: Actor, expires_at: datetime | None = None
) -> tuple[ClientSecret, str]:
    """Create a successor of the secret, and end the old one; the text is readable only in this return value.

    Both count towards MAX_LIVE_SECRETS until the old one ends. Raises Refusal.
    """
    client = lock_client(secret.client)
    consumer = lock_active_consumer(client.consumer)
    actors.handle_secrets(actor, client)
    old = _lock_live(client, secret)
    now = timezone.now()
    old.rotated_at = now
    if end.at is not None and end.at <= now:
        old.revoked_at = now
    elif end.at is not None:
        old.expires_at = min(end.at, old.expires_at or end.at)
    old.save(update_fields=["rotated_at", "revoked_at", "expires_at"])
    new, text = insert_secret(client, consumer, actor, old.name, expires_at)
    if end.after_first_use:
        old.expires_after_use_of = new
        old.save(update_fields=["expires_after_use_of"])
    # Secrets that end after the first use of the old one, which may never be used, now end after its successor's.
    if old.last_used_at is None:
        old.predecessors.update(expires_after_use_of=new)
    detail: dict[str, Any] = {"hint": old.hint, "new_hint": new.hint, "name": new.name}
    if end.after_first_use:
        detail["expires"] = "after_first_use"
    elif end.at is not None:
        detail["expires_at"] = max(end.at, now).isoformat()
    audit.record(ClientEvent.SECRET_ROTATED, actor=actor, consumer=client.consumer, target=client, detail=detail)
    emails.secret_rotated(client, old, new, actor)
    return new, text


@transaction.atomic
def rotate_client(*, client: Client, actor: Actor) -> str:
    """Rotate as Ory's API does: the newest secret, or create the first. The text is readable only in the return value.

    Former secrets stay live until revoke_rotated(), or until MAX_LIVE_SECRETS are newer.
    """
    client = lock_client(client)
    live = list(client.secrets.live().order_by("-created_at"))
    for oldest in live[MAX_LIVE_SECRETS - 1 :]:
        revoke_secret(secret=oldest, actor=actor)
    if live:
        return rotate_secret(secret=live[0], end=End(), actor=actor)[1]
    return create_secret(client=client, name="", actor=actor)[1]


@transaction.atomic
def revoke_rotated(*, client: Client, actor: Actor) -> None:
    """Revoke every live secret that has a successor."""
    client = lock_client(client)
    for old in client.secrets.live().exclude(rotated_at=None):
        revoke_secret(secret=old, actor=actor)


@transaction.atomic
def expire_secret(*, secret: ClientSecret, expires_at: datetime | None, actor: Actor) -> ClientSecret:
    """Set or, with None, remove the secret's expiry. Raises Refusal."""
    client = lock_client(secret.client)
    secret = _lock_live(client, secret)
    _check_expiry(expires_at)
    secret.expires_at, secret.expires_after_use_of = expires_at, None
    secret.save(update_fields=["expires_at", "expires_after_use_of"])
    secret.client = client
    _record_expiry(secret, actor)
    return secret


@transaction.atomic
def revoke_secret(*, secret: ClientSecret, actor: Actor) -> None:
    """Revoke the secret now. Secrets that were to end after its first use no longer end by themselves."""
    client = lock_client(secret.client)
    old = _lock_live(client, secret)
    old.revoked_at = timezone.now()
    old.save(update_fields=["revoked_at"])
    old.predecessors.update(expires_after_use_of=None)
    audit.record(
        ClientEvent.SECRET_REVOKED,
        actor=actor,
        consumer=client.consumer,
        target=client,
        detail={"hint": old.hint, "name": old.name},
    )


def revoke_secrets(client: Client, actor: Actor) -> None:
    """Revoke the live secrets of a client, which is locked and holds none any more: else it could hold them again."""
    for secret in client.secrets.live():
        revoke_secret(secret=secret, actor=actor)


@transaction.atomic
def expire_predecessors(*, secret_id: UUID, first_used_at: datetime) -> None:
    """Expire the secrets that were to end after the first use of this one, and those that these were to end.

    An earlier end stays.
    """
    expires_at = first_used_at + GRACE_AFTER_FIRST_USE
    successors = {secret_id}
    while successors:
        predecessors = list(
            ClientSecret.objects.filter(expires_after_use_of__in=successors)
            .select_related("client__consumer")
            .select_for_update(of=("self",), no_key=True)
            .order_by("pk")
        )
        for secret in predecessors:
            if secret.expires_at is None or secret.expires_at > expires_at:
                secret.expires_at = expires_at
                secret.save(update_fields=["expires_at"])
                _record_expiry(secret, SYSTEM)
        successors = {secret.pk for secret in predecessors}


def _record_expiry(secret: ClientSecret, actor: Actor) -> None:
    client, expires_at = secret.client, secret.expires_at
    detail = {"hint": secret.hint, "name": secret.name, "expires_at": expires_at.isoformat() if expires_at else None}
    audit.record(ClientEvent.SECRET_EXPIRY_CHANGED, actor=actor, consumer=client.consumer, target=client, detail=detail)


def insert_secret(
    client: Client, consumer: Consumer, actor: Actor, name: str, expires_at: datetime | None
) -> tuple[ClientSecret, str]:
    """Insert a secret by the rules of its consumer, with no event; client and consumer are locked. Raises Refusal."""
    if not client.holds_secrets:
        raise InvalidClientMetadata("This client authenticates without a secret.", field="token_endpoint_auth_method")
    name = name.strip()
    if len(name) > MAX_NAME:
        raise Refusal(f"Shorten the name to {MAX_NAME} characters.", field="name")
    plain_text(name, "name", "the name")
    _check_expiry(expires_at)
    if not consumer.secrets_allowed:
        raise InvalidClientMetadata(NO_SECRETS.format(consumer), field="token_endpoint_auth_method")
    now = timezone.now()
    if client.secrets.live().count() >= MAX_LIVE_SECRETS:
        raise Conflict(f"The client holds {MAX_LIVE_SECRETS} active secrets already. Revoke one that is not needed.")
    text = secrets.generate()
    version = secrets.current_pepper()
    secret = ClientSecret.objects.create(
        client=client,
        name=name,
        digest=secrets.keyed_digest(text, version),
        pepper_version=version,
        hint=text[-4:],
        created_by=actor.user,
        created_by_label=actor.label,
        created_at=now,
        expires_at=min(filter(None, (expires_at, latest_expiry(consumer, now))), default=None),
    )
    return secret, text


def _check_expiry(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= timezone.now():
        raise Refusal("Choose an expiry date in the future.", field="expires_at")


def _lock_live(client: Client, secret: ClientSecret) -> ClientSecret:
    """Return the secret as it is now, under the lock of its client. Raises Conflict unless it is live."""
    live = ClientSecret.objects.live().filter(client=client, pk=secret.pk).first()
    if live is None:
        raise Conflict("This secret has already expired or been revoked.")
    return live
