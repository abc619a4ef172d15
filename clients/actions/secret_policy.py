"""Operators' rules for a consumer's secrets, and warnings before secrets expire."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from clients import emails
from clients.events import ClientEvent
from clients.models import Client, ClientSecret
from consumers import audit
from consumers.audit import Actor
from consumers.models import Consumer
from core.db import rows
from core.errors import Refusal
from core.limits import numbers

NOTICE_PERIOD = timedelta(days=30)  # before a live secret expires by a new rule
MIN_DAYS, MAX_DAYS = numbers(Consumer, "secret_days")
FIRST_WARNING, LAST_WARNING = timedelta(days=14), timedelta(days=2)
NEW_SECRET_AGE = timedelta(days=1)  # a secret this new needs no warning: its creator has just seen the expiry


@transaction.atomic
def set_secret_policy(*, consumer: Consumer, allowed: bool, days: int | None, actor: Actor) -> None:
    """Set whether the consumer's clients may hold secrets, and the lifetime of one in days; None sets no limit.

    A live secret beyond the rules gets an expiry, after NOTICE_PERIOD at the earliest, and the managers get a mail.
    Raises Refusal.
    """
    if days is not None and not MIN_DAYS <= days <= MAX_DAYS:
        raise Refusal(f"Choose between {MIN_DAYS} and {MAX_DAYS:,} days, or none for no limit.", field="secret_days")
    # insert_secret() runs under the same lock, so that none is created by the former rules after this.
    locked = rows.lock(consumer)
    consumer.secrets_allowed, consumer.secret_days = allowed, days
    if (locked.secrets_allowed, locked.secret_days) == (allowed, days):
        return
    consumer.save(update_fields=["secrets_allowed", "secret_days"])
    shortened = _shorten(consumer)
    audit.record(
        ClientEvent.CONSUMER_SECRET_POLICY_CHANGED,
        actor=actor,
        consumer=consumer,
        target=consumer,
        detail={"allowed": allowed, "days": days, "shortened": len(shortened)},
    )
    if shortened:
        emails.secret_policy_changed(consumer, shortened)


def latest_expiry(consumer: Consumer, created_at: datetime) -> datetime | None:
    """Return the latest expiry of a secret that was created then, or None for no limit."""
    if not consumer.secrets_allowed:
        return created_at
    return created_at + timedelta(days=consumer.secret_days) if consumer.secret_days else None


def _shorten(consumer: Consumer) -> list[ClientSecret]:
    """Set the expiry of live secrets beyond the rules; return these secrets."""
    notice = timezone.now() + NOTICE_PERIOD
    live = ClientSecret.objects.live().filter(client__consumer=consumer).select_related("client").order_by("pk")
    shortened = []
    for secret in live.select_for_update(of=("self",)):
        latest = latest_expiry(consumer, secret.created_at)
        if latest is not None and (secret.expires_at is None or secret.expires_at > max(latest, notice)):
            secret.expires_at = max(latest, notice)
            shortened.append(secret)
    ClientSecret.objects.bulk_update(shortened, ["expires_at"])
    return shortened


# -- Warnings ---------------------------------------------------------------------------------------------------------


def warn_of_expiring_secrets() -> None:
    """Mail the managers FIRST_WARNING and LAST_WARNING before secrets expire, one mail for each client."""
    clients = Client.objects.usable().filter(secrets__in=_expiring_secrets()).distinct().order_by("pk")
    for client in clients.select_related("consumer"):
        _warn(client)


def _expiring_secrets() -> QuerySet[ClientSecret]:
    now = timezone.now()
    first = Q(warned_at=None, expires_at__lte=now + FIRST_WARNING, created_at__lt=now - NEW_SECRET_AGE)
    last = Q(warned_at__lt=F("expires_at") - LAST_WARNING, expires_at__lte=now + LAST_WARNING)
    return ClientSecret.objects.live().filter(first | last, rotated_at=None)


@transaction.atomic
def _warn(client: Client) -> None:
    """Send the client's warning, unless another worker has locked its secrets for that."""
    due = (
        _expiring_secrets()
        .filter(client=client)
        .order_by("expires_at")
        .select_for_update(of=("self",), skip_locked=True)
    )
    secrets = list(due)
    if secrets:
        ClientSecret.objects.filter(pk__in=[secret.pk for secret in secrets]).update(warned_at=timezone.now())
        emails.secrets_expiring(client, secrets)
