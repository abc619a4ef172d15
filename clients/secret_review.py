"""The secrets review of a consumer: clients that hold secrets, what is wrong with those, and alternatives.

The platform of a client is guessed from its name, description, secrets' names and URIs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import urlsplit

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


def _flags(secret: ClientSecret, max_age: timedelta) -> set[str]:
    """Return the keys of FLAGS that are true of a live secret."""
    now = timezone.now()
    flags = {
        "unused": secret.last_used_at is None,
        "idle": secret.last_used_at is not None and secret.last_used_at < now - IDLE_AFTER,
        "endless": secret.expires_at is None and secret.expires_after_use_of_id is None,
        "old": secret.created_at < now - max_age,
    }
    return {name for name, is_set in flags.items() if is_set}


def secret_holders(consumer: Consumer) -> list[SecretHolder]:
    """Return the enabled clients that have live secrets, those with most flags first."""
    max_age = max_secret_age(consumer)
    issuers = dict(TrustedIssuer.objects.offered_to(consumer).order_by("-pk").values_list("platform", "pk"))
    live = ClientSecret.objects.live().filter(client__consumer=consumer, client__disabled_at=None)
    live = live.select_related("client__consumer").order_by("client__client_name", "client_id", "created_at")
    holders = []
    for client, group in groupby(live, key=lambda secret: secret.client):
        secrets = list(group)
        flags = {name for secret in secrets for name in _flags(secret, max_age)}
        guess = guess_platform(client, secrets)
        issuer_id = issuers.get(guess.platform.name) if guess else None
        holders.append(SecretHolder(client, secrets, [name for name in FLAGS if name in flags], guess, issuer_id))
    return sorted(holders, key=lambda holder: -len(holder.flags))


def flag_counts(holders: list[SecretHolder], consumer: Consumer) -> dict[str, int]:
    """Return the number of secrets for each of FLAGS."""
    max_age = max_secret_age(consumer)
    flags = [_flags(secret, max_age) for holder in holders for secret in holder.secrets]
    return {name: sum(name in each for each in flags) for name in FLAGS}


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
