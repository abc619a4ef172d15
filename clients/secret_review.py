"""The secrets review of a consumer: clients that hold secrets, what is wrong with those, and alternatives.

The platform of a client is guessed from its name, description, secrets' names and URIs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from django.db.models import BooleanField, Case, Count, ExpressionWrapper, Max, Q, QuerySet, Value, When
from django.utils import timezone

from clients.federation.platforms import PLATFORMS, Platform
from clients.models import Client, ClientSecret, TrustedIssuer
from consumers.models import Consumer

IDLE_AFTER = timedelta(days=90)
DEFAULT_MAX_AGE_DAYS = 180  # of a consumer without a limit


@dataclass(frozen=True)
class PlatformGuess:
    platform: Platform
    evidence: str  # as in “its description says “GitHub Actions””


@dataclass(frozen=True)
class SecretHolder:
    """A client that authenticates with secrets."""

    client: Client
    secrets: list[ClientSecret]
    flags: list[str]  # keys of FLAGS, each once
    guess: PlatformGuess | None
    issuer_id: int | None  # the platform's trusted issuer, where there is one

    @property
    def last_used_at(self) -> datetime | None:
        return max((secret.last_used_at for secret in self.secrets if secret.last_used_at), default=None)


FLAGS = {
    "unused": "Never used",
    "idle": "Idle for 90 days",
    "endless": "Never expires",
    "old": "Too old",
}


def max_secret_age(consumer: Consumer) -> timedelta:
    return timedelta(days=consumer.secret_days or DEFAULT_MAX_AGE_DAYS)


def _flag_conditions(consumer: Consumer) -> dict[str, Q]:
    """Return what is true of a live secret with each of FLAGS."""
    now = timezone.now()
    return {
        "unused": Q(last_used_at=None),
        "idle": Q(last_used_at__lt=now - IDLE_AFTER),
        "endless": Q(expires_at=None, expires_after_use_of=None),
        "old": Q(created_at__lt=now - max_secret_age(consumer)),
    }


def _live_secrets(consumer: Consumer) -> QuerySet[ClientSecret]:
    return ClientSecret.objects.live().filter(client__consumer=consumer, client__disabled_at=None).order_by()


def secret_counts(consumer: Consumer) -> dict[str, int]:
    """Return the number of live secrets of enabled clients, of these clients, and of secrets with each of FLAGS."""
    flagged = {name: Count("pk", filter=met) for name, met in _flag_conditions(consumer).items()}
    return _live_secrets(consumer).aggregate(live=Count("pk"), holders=Count("client", distinct=True), **flagged)


def holders_by_flags(consumer: Consumer) -> QuerySet[Any, int]:
    """Return the primary keys of the enabled clients that have live secrets, those with most flags first."""
    flags = (Max(Case(When(met, then=1), default=0)) for met in _flag_conditions(consumer).values())
    holders = _live_secrets(consumer).values("client_id").annotate(flags=sum(flags, Value(0)))
    return holders.order_by("-flags", "client__client_name", "client_id").values_list("client_id", flat=True)


def secret_holders(consumer: Consumer, keys: Iterable[int]) -> list[SecretHolder]:
    """Return those of the consumer's clients, in the order of their primary keys."""
    issuers = dict(TrustedIssuer.objects.offered_to(consumer).order_by("-pk").values_list("platform", "pk"))
    flagged = {name: ExpressionWrapper(met, BooleanField()) for name, met in _flag_conditions(consumer).items()}
    live = _live_secrets(consumer).filter(client__in=keys).annotate(**flagged).select_related("client__consumer")
    holders = {}
    for client, group in groupby(live.order_by("client_id", "created_at"), key=lambda secret: secret.client):
        secrets = list(group)
        flags = [name for name in FLAGS if any(getattr(secret, name) for secret in secrets)]
        guess = guess_platform(client, secrets)
        issuer_id = issuers.get(guess.platform.name) if guess else None
        holders[client.pk] = SecretHolder(client, secrets, flags, guess, issuer_id)
    return [holders[key] for key in keys if key in holders]


def guess_platform(client: Client, secrets: list[ClientSecret]) -> PlatformGuess | None:
    """Return the platform on which the client seems to run, or None; the first evidence counts."""
    for source, text in _texts(client, secrets):
        for platform in PLATFORMS.values():
            if keyword := platform.mentioned_in(text):
                return PlatformGuess(platform, f"{source} says “{keyword}”")
    for uri in (*client.redirect_uris, client.client_uri):
        host = _hostname(uri)
        for platform in PLATFORMS.values():
            if platform.hosts(host):
                return PlatformGuess(platform, f"it leads to {host}")
    return None


def _texts(client: Client, secrets: list[ClientSecret]) -> Iterator[tuple[str, str]]:
    yield "its name", client.client_name
    yield "its description", client.description
    for secret in secrets:
        yield f"the name of {secret}", secret.name


def _hostname(uri: str) -> str:
    try:
        return (urlsplit(uri).hostname or "").lower()
    except ValueError:
        return ""
