"""Every change to the secrets of a client."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from clients import emails, secrets
from clients.actions.locks import lock, require_active
from clients.actions.secret_policy import latest_end
from clients.errors import InvalidClientMetadata
from clients.models import MAX_LIVE_SECRETS, Client, ClientSecret
from clients.policy import plain_text
from clients.policy.grants import NO_SECRETS
from consumers import audit
from consumers.audit import Actor, EventName
from consumers.models import Consumer
from core.errors import Conflict, Refusal


@dataclass(frozen=True)
class End:
    """When a rotated secret stops working: at a moment, or a while after its successor is first used."""

    at: datetime | None = None
    after_first_use: bool = False


GRACE_AFTER_FIRST_USE = timedelta(days=1)


@transaction.atomic
def add_secret(
    *, client: Client, name: str, actor: Actor, expires_at: datetime | None = None
) -> tuple[ClientSecret, str]:
    """Give the client one more secret; its text is readable only in this return value."""
    client = lock(client)
    consumer = require_active(client.consumer)
    made, text = make_secret(client, consumer, actor, name, expires_at)
    audit.record(
        EventName.SECRET_ADDED,
        actor=actor,
        consumer=client.consumer,
        target=client,
        detail={"hint": made.hint, "name": made.name},
    )
    return made, text


@transaction.atomic
def rotate_secret(
    *, secret: ClientSecret, end: End, actor: Actor, expires_at: datetime | None = None
) -> tuple[ClientSecret, str]:
    """Make a successor of the secret and give the old one its end; the text is readable only in this return value.

    Both count as live until the old one ends; at once makes room for the successor.
    """
    client = lock(secret.client)
    consumer = require_active(client.consumer)
    old = _lock_live(client, secret)
    now = timezone.now()
    old.rotated_at = now
    if end.at is not None and end.at <= now:
        old.revoked_at = now
    elif end.at is not None:
        old.expires_at = min(end.at, old.expires_at or end.at)
    old.save(update_fields=["rotated_at", "revoked_at", "expires_at"])
    made, text = make_secret(client, consumer, actor, old.name, expires_at)
    if end.after_first_use:
        old.ends_after_use_of = made
        old.save(update_fields=["ends_after_use_of"])
    # Those that wait for the first use of the old one, which nobody may ever see, wait for its successor's.
    if old.last_used_at is None:
        old.predecessors.update(ends_after_use_of=made)
    detail: dict[str, Any] = {"hint": old.hint, "new_hint": made.hint, "name": made.name}
    if end.after_first_use:
        detail["ends"] = "after_first_use"
    elif end.at is not None:
        detail["ends_at"] = max(end.at, now).isoformat()
    audit.record(EventName.SECRET_ROTATED, actor=actor, consumer=client.consumer, target=client, detail=detail)
    emails.secret_rotated(client, old, made, actor)
    return made, text


@transaction.atomic
def rotate_client(*, client: Client, actor: Actor) -> str:
    """Rotate the newest secret, or make the first; the old go on until revoke_rotated, or until five are newer.

    The text is readable only in this return value. This is what Ory calls rotation: nobody says which, or until when.
    """
    client = lock(client)
    live = list(client.secrets.live().order_by("-created_at"))
    for oldest in live[MAX_LIVE_SECRETS - 1 :]:
        revoke_secret(secret=oldest, actor=actor)
    if live:
        return rotate_secret(secret=live[0], end=End(), actor=actor)[1]
    return add_secret(client=client, name="", actor=actor)[1]


@transaction.atomic
def revoke_rotated(*, client: Client, actor: Actor) -> None:
    """End every secret that has a successor."""
    client = lock(client)
    for old in client.secrets.live().exclude(rotated_at=None):
        revoke_secret(secret=old, actor=actor)


@transaction.atomic
def expire_secret(*, secret: ClientSecret, expires_at: datetime | None, actor: Actor) -> ClientSecret:
    """Give the secret an end, another one, or none. Raises Refusal."""
    client = lock(secret.client)
    secret = _lock_live(client, secret)
    _require_future(expires_at)
    secret.expires_at, secret.ends_after_use_of = expires_at, None
    secret.save(update_fields=["expires_at", "ends_after_use_of"])
    detail = {"hint": secret.hint, "name": secret.name, "ends_at": expires_at.isoformat() if expires_at else None}
    audit.record(EventName.SECRET_EXPIRES, actor=actor, consumer=client.consumer, target=client, detail=detail)
    return secret


@transaction.atomic
def revoke_secret(*, secret: ClientSecret, actor: Actor) -> None:
    """End the secret now. Those that would have ended after its first use go on until somebody ends them."""
    client = lock(secret.client)
    old = _lock_live(client, secret)
    old.revoked_at = timezone.now()
    old.save(update_fields=["revoked_at"])
    old.predecessors.update(ends_after_use_of=None)
    audit.record(
        EventName.SECRET_REVOKED,
        actor=actor,
        consumer=client.consumer,
        target=client,
        detail={"hint": old.hint, "name": old.name},
    )


def make_secret(
    client: Client, consumer: Consumer, actor: Actor, name: str, expires_at: datetime | None
) -> tuple[ClientSecret, str]:
    """Make a secret by the rules of the consumer, which is locked."""
    if not client.holds_secrets:
        raise InvalidClientMetadata("This client authenticates without a secret.", field="token_endpoint_auth_method")
    name = name.strip()
    if len(name) > 60:
        raise Refusal("Shorten the name to 60 characters.", field="name")
    plain_text(name, "name", "the name")
    _require_future(expires_at)
    if not consumer.secrets_allowed:
        raise InvalidClientMetadata(NO_SECRETS.format(consumer), field="token_endpoint_auth_method")
    now = timezone.now()
    if client.secrets.live().count() >= MAX_LIVE_SECRETS:
        raise Conflict(f"The client holds {MAX_LIVE_SECRETS} live secrets already. Revoke one that is not needed.")
    text = secrets.generate()
    version = secrets.current_pepper()
    made = ClientSecret.objects.create(
        client=client,
        name=name,
        digest=secrets.digest(text, version),
        pepper_version=version,
        hint=text[-4:],
        created_by=actor.user,
        created_by_label=actor.label,
        created_at=now,
        expires_at=min(filter(None, (expires_at, latest_end(consumer, now))), default=None),
    )
    return made, text


def _require_future(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= timezone.now():
        raise Refusal("Choose an end in the future.", field="expires_at")


def _lock_live(client: Client, secret: ClientSecret) -> ClientSecret:
    """Return the secret if it still works; its client is locked already."""
    live = ClientSecret.objects.live().filter(client=client, pk=secret.pk).first()
    if live is None:
        raise Conflict("This secret has ended already.")
    return live
