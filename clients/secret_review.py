"""What is left on secrets in a workspace, and the way off them for each client.

Where a client runs is guessed from what people wrote about it and where it leads, and the page says from what.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import urlsplit

from django.utils import timezone

from clients.models import Client, ClientSecret, TrustedIssuer
from consumers.models import Consumer

IDLE = timedelta(days=90)
OLD_DAYS = 180  # where the consumer has no rule of its own


@dataclass(frozen=True)
class Platform:
    """A place whose programs have an identity of their own, and how it shows."""

    name: str  # as in clients/federation/platforms.py
    title: str
    words: re.Pattern[str]
    hosts: tuple[str, ...] = ()


def _words(*spelled: str) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(spelled)})\b", re.IGNORECASE)


PLATFORMS = [
    Platform("github", "GitHub Actions", _words(r"github[ -]?actions?", "github workflows?", "gha"), ("github.io",)),
    Platform("gitlab", "GitLab CI/CD", _words(r"gitlab[ -]?ci", "gitlab"), ("gitlab.io",)),
    Platform(
        "kubernetes", "Kubernetes", _words("kubernetes", "k8s", "helm", "eks", "gke", "aks", "openshift", "cron ?jobs?")
    ),
    Platform(
        "gcp",
        "Google Cloud",
        _words("google cloud", "gcp", "cloud run", "cloud functions?"),
        ("run.app", "appspot.com"),
    ),
    Platform("aws", "AWS", _words("aws", "lambda", "ec2", "fargate", "ecs"), ("amazonaws.com", "awsapprunner.com")),
    Platform("azure", "Azure", _words("azure", "aks"), ("azurewebsites.net", "azurecontainerapps.io")),
]


@dataclass(frozen=True)
class Guess:
    platform: Platform
    because: str  # as in “its description says “GitHub Actions””


@dataclass(frozen=True)
class OnSecrets:
    """A client that still proves itself by secrets."""

    client: Client
    secrets: list[ClientSecret]
    flags: list[str]  # of FLAGS, each once
    guess: Guess | None
    issuer_id: int | None  # of the platform that it seems to run on, where operators allow that

    @property
    def last_used_at(self) -> datetime | None:
        return max((secret.last_used_at for secret in self.secrets if secret.last_used_at), default=None)


FLAGS = {
    "unused": "Never used",
    "idle": "Idle for 90 days",
    "endless": "Never ends",
    "old": "Too old",
}


def old_after(consumer: Consumer) -> timedelta:
    return timedelta(days=consumer.secret_days or OLD_DAYS)


def _flags(secret: ClientSecret, old: timedelta) -> set[str]:
    """Return what is wrong with a secret that works; a name is a key of FLAGS."""
    now = timezone.now()
    found = {
        "unused": secret.last_used_at is None,
        "idle": secret.last_used_at is not None and secret.last_used_at < now - IDLE,
        "endless": secret.expires_at is None and secret.ends_after_use_of_id is None,
        "old": secret.created_at < now - old,
    }
    return {name for name, is_so in found.items() if is_so}


def on_secrets(consumer: Consumer) -> list[OnSecrets]:
    """Return the clients that hold secrets which work, those with most to mend first."""
    old = old_after(consumer)
    issuers = dict(TrustedIssuer.objects.offered_to(consumer).order_by("-pk").values_list("platform", "pk"))
    live = ClientSecret.objects.live().filter(client__consumer=consumer, client__disabled_at=None)
    live = live.select_related("client__consumer").order_by("client__client_name", "client_id", "created_at")
    found = []
    for client, group in groupby(live, key=lambda secret: secret.client):
        secrets = list(group)
        wrong = {name for secret in secrets for name in _flags(secret, old)}
        guessed = guess(client, secrets)
        issuer_id = issuers.get(guessed.platform.name) if guessed else None
        found.append(OnSecrets(client, secrets, [name for name in FLAGS if name in wrong], guessed, issuer_id))
    return sorted(found, key=lambda each: -len(each.flags))


def counts(found: list[OnSecrets], consumer: Consumer) -> dict[str, int]:
    """Return how many secrets each of FLAGS is true of."""
    old = old_after(consumer)
    each = [_flags(secret, old) for client in found for secret in client.secrets]
    return {name: sum(name in wrong for wrong in each) for name in FLAGS}


def guess(client: Client, secrets: list[ClientSecret]) -> Guess | None:
    """Return where the client seems to run, or None; the first sign counts."""
    for what, text in _texts(client, secrets):
        for platform in PLATFORMS:
            if said := platform.words.search(text):
                return Guess(platform, f"{what} says “{said[0]}”")
    for uri in (*client.redirect_uris, client.client_uri):
        host = _hostname(uri)
        for platform in PLATFORMS:
            if any(host.endswith(f".{end}") for end in platform.hosts):
                return Guess(platform, f"it leads to {host}")
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
