"""May a consumer's clients hold secrets, and for how long? Operators rule; nobody is cut off without notice."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from clients import emails
from clients.models import Client, ClientSecret
from consumers import audit
from consumers.audit import Actor, EventName
from consumers.models import Consumer
from core.errors import Refusal

NOTICE = timedelta(days=30)  # before a secret ends that works already
LONGEST_DAYS = 3650
FIRST_WARNING, LAST_WARNING = timedelta(days=14), timedelta(days=2)
FRESH = timedelta(days=1)  # who has just made a secret knows when it ends


@transaction.atomic
def set_secret_rules(*, consumer: Consumer, allowed: bool, days: int | None, actor: Actor) -> None:
    """Say whether the consumer's clients may hold secrets, and how many days one may work; None sets no limit.

    A secret that works already and would not be allowed gets an end, NOTICE ahead at the earliest, and the managers
    are told by mail. Raises Refusal.
    """
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise Refusal(f"Choose between 1 and {LONGEST_DAYS:,} days, or none for no limit.", field="secret_days")
    # Whoever makes a secret locks the consumer too: none is made by the former rules after this.
    locked = Consumer.objects.select_for_update(no_key=True).get(pk=consumer.pk)
    consumer.secrets_allowed, consumer.secret_days = allowed, days
    if (locked.secrets_allowed, locked.secret_days) == (allowed, days):
        return
    consumer.save(update_fields=["secrets_allowed", "secret_days"])
    shortened = _shorten(consumer)
    audit.record(
        EventName.CONSUMER_SECRETS_RULED,
        actor=actor,
        consumer=consumer,
        target=consumer,
        detail={"allowed": allowed, "days": days, "shortened": len(shortened)},
    )
    if shortened:
        emails.secrets_ruled(consumer, shortened)


def latest_end(consumer: Consumer, created_at: datetime) -> datetime | None:
    """Return until when a secret may work that was made then, or None."""
    if not consumer.secrets_allowed:
        return created_at
    return created_at + timedelta(days=consumer.secret_days) if consumer.secret_days else None


def _shorten(consumer: Consumer) -> list[ClientSecret]:
    notice = timezone.now() + NOTICE
    live = ClientSecret.objects.live().filter(client__consumer=consumer).select_related("client").order_by("pk")
    shortened = []
    for secret in live.select_for_update(of=("self",)):
        latest = latest_end(consumer, secret.created_at)
        if latest is not None and (secret.expires_at is None or secret.expires_at > max(latest, notice)):
            secret.expires_at = max(latest, notice)
            shortened.append(secret)
    ClientSecret.objects.bulk_update(shortened, ["expires_at"])
    return shortened


# -- Warnings ---------------------------------------------------------------------------------------------------------


def warn_of_ending_secrets() -> None:
    """Mail the managers two weeks before a secret ends, and again two days before; one mail a client."""
    clients = Client.objects.usable().filter(secrets__in=_to_warn_of()).distinct().order_by("pk")
    for client in clients.select_related("consumer"):
        _warn(client)


def _to_warn_of() -> QuerySet[ClientSecret]:
    now = timezone.now()
    first = Q(warned_at=None, expires_at__lte=now + FIRST_WARNING, created_at__lt=now - FRESH)
    last = Q(warned_at__lt=F("expires_at") - LAST_WARNING, expires_at__lte=now + LAST_WARNING)
    return ClientSecret.objects.live().filter(first | last, rotated_at=None)


@transaction.atomic
def _warn(client: Client) -> None:
    """Send the client's warning, unless another worker does."""
    due = _to_warn_of().filter(client=client).order_by("expires_at").select_for_update(of=("self",), skip_locked=True)
    secrets = list(due)
    if secrets:
        ClientSecret.objects.filter(pk__in=[secret.pk for secret in secrets]).update(warned_at=timezone.now())
        emails.secrets_ending(client, secrets)
