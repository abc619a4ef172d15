"""Alerts on a workspace's dashboard: what needs a manager today."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from authority.diagnostics.problem_messages import describe
from authority.models import Problem
from clients.models import Client, ClientSecret
from clients.queries import with_state
from consumers.models import Consumer
from core.timefmt import near_date_time
from portal.templatetags.ui import away, counted

UNUSED_AFTER = timedelta(days=7)
REFUSED_WITHIN = timedelta(days=1)
MAX_REFUSED = 10  # clients that are listed
MAX_SINGLE = 3  # clients with the same trouble that get an alert each; more of them share one
# State: of one client, what follows, and of many.
WITHOUT_SECRET = {
    "expired": (
        "Every secret of {} has expired",
        "Its requests are refused until it has a new secret.",
        "{} have no active secret",
    ),
    "no_secret": ("{} has no secret", "It cannot get a token until it has one.", "{} have no secret"),
}


@dataclass(frozen=True)
class Alert:
    """Something that needs attention, with the one action that handles it. `tone` is bad, warn or quiet."""

    tone: str
    icon: str
    title: str
    text: str
    action: str
    url: str
    in_dialog: bool = False  # whether the page of the action opens there


def alerts_of(consumer: Consumer) -> list[Alert]:
    """Return what needs attention, the worst first."""
    found = [
        *_clients_without_secret(consumer),
        *_refused_clients(consumer),
        *_ending_secrets(consumer),
        *_ended_invitations(consumer),
        *_unused(consumer),
    ]
    return sorted(found, key=lambda alert: ("bad", "warn", "quiet").index(alert.tone))


def _client_url(name: str, client: Client, *more: Any) -> str:
    return reverse(f"clients:{name}", args=[client.consumer.slug, client.client_id, *more])


def _client_list_url(consumer: Consumer, **chosen: str) -> str:
    """Return the address of the list of clients, of those that are chosen."""
    return reverse("clients:index", args=[consumer.slug], query=chosen)


def _clients_without_secret(consumer: Consumer) -> Iterator[Alert]:
    """Clients that can get no token, because no secret of theirs works."""
    mine = with_state(Client.objects.of(consumer)).select_related("consumer")
    for state, (one, text, many) in WITHOUT_SECRET.items():
        found = mine.filter(state=state)
        if (count := found.count()) > MAX_SINGLE:
            title = many.format(counted(count, "client").capitalize())
            yield Alert(
                "bad",
                "circle-x",
                title,
                "They cannot get a token until they have one.",
                "Review",
                _client_list_url(consumer, state=state),
            )
            continue
        for client in found:
            url = _client_url("create-secret", client)
            yield Alert("bad", "circle-x", one.format(client), text, "Create a secret", url, in_dialog=True)


def _refused_clients(consumer: Consumer) -> Iterator[Alert]:
    """Clients that could work, and had requests refused since yesterday, each with its latest reason."""
    able = with_state(Client.objects.of(consumer)).exclude(state__in=("disabled", "expired", "no_secret"))
    since = timezone.now() - REFUSED_WITHIN
    latest = Problem.objects.filter(client__in=able.values("pk"), last_at__gt=since).select_related("client__consumer")
    for problem in latest.order_by("client_id", "-last_at", "-pk").distinct("client_id")[:MAX_REFUSED]:
        whence = f", from {problem.last_ip}" if problem.last_ip else ""
        yield Alert(
            "warn",
            "circle-x",
            f"Requests of {problem.client} are being refused",
            f"{describe(problem, problem.client).title}: {counted(problem.count, 'request')}, "
            f"the last {away(problem.last_at)}{whence}.",
            "Review problems",
            reverse("tokens:problems", args=[consumer.slug, problem.client.client_id]),
        )


def _ending_secrets(consumer: Consumer) -> Iterator[Alert]:
    """Secrets that end soon, or are being replaced."""
    soon = Q(expires_at__lte=timezone.now() + ClientSecret.SOON)
    live = ClientSecret.objects.live().filter(client__consumer=consumer, client__disabled_at=None)
    live = live.select_related("client__consumer", "expires_after_use_of").order_by("expires_at", "created_at")
    for secret in live.filter(soon | ~Q(rotated_at=None)):
        client = secret.client
        if secret.state == "rotating":
            if secret.expires_at:
                ends = f"{secret} expires {away(secret.expires_at)}, on {near_date_time(secret.expires_at)}."
            else:
                ends = f"{secret} expires a day after {secret.expires_after_use_of} is first used."
            yield Alert(
                "warn",
                "rotate-cw",
                f"A secret of {client} is being replaced",
                f"{ends} Put the new one wherever the old one is.",
                "Review secrets",
                _client_url("secrets", client),
            )
        elif secret.ends_soon and secret.expires_at:
            yield Alert(
                "warn",
                "clock",
                f"A secret of {client} expires {away(secret.expires_at)}",
                f"{secret} stops working on {near_date_time(secret.expires_at)}. "
                "Rotate it now: both secrets work until you switch.",
                "Rotate it",
                _client_url("rotate-secret", client, secret.pk),
                in_dialog=True,
            )


def _ended_invitations(consumer: Consumer) -> Iterator[Alert]:
    for invitation in consumer.invitations.pending().filter(expires_at__lte=timezone.now()):
        yield Alert(
            "quiet",
            "mail",
            f"The invitation of {invitation.email} has expired",
            f"It was not accepted by {near_date_time(invitation.expires_at)}. Resend it, or revoke it.",
            "Review people",
            reverse("consumers:people", args=[consumer.slug]),
        )


def _unused(consumer: Consumer) -> Iterator[Alert]:
    """Clients that could work for a week and never did."""
    mine = with_state(Client.objects.of(consumer)).select_related("consumer", "user")
    old = mine.filter(state="active", last_used_at=None, created__lt=timezone.now() - UNUSED_AFTER)
    if (count := old.count()) > MAX_SINGLE:
        title = f"{counted(count, 'client').capitalize()} have never requested a token"
        text = "They exist for more than a week. Set them up, or delete those that are not needed."
        yield Alert("quiet", "circle-help", title, text, "Review", _client_list_url(consumer, used="never"))
        return
    for client in old.order_by("created"):
        yield Alert(
            "quiet",
            "circle-help",
            f"{client} has never requested a token",
            f"{client.user or 'Somebody'} created it {away(client.created)}. "
            "See how to connect it, or delete it if it is not needed.",
            "See how to connect",
            _client_url("detail", client),
        )
