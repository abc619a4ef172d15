"""What needs somebody in a workspace today: the news that its home page is headed by."""

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
from portal.templatetags.ui import away, counted, moment

UNUSED_AFTER = timedelta(days=7)
REFUSED_WITHIN = timedelta(days=1)
MOST_REFUSED = 10  # clients that are told at a time
FEW = 3  # clients with the same trouble are told one by one; more of them are one thing to look at
# State: of one client, what follows, and of many.
DEAD = {
    "expired": (
        "Every secret of {} has ended",
        "Its requests are refused until it has a new secret.",
        "{} have no secret that still works",
    ),
    "bare": ("{} has no secret", "It cannot get a token until it has one.", "{} have no secret"),
}


@dataclass(frozen=True)
class Task:
    """One thing to handle, with the one deed that handles it. `tone` is bad, warn or quiet."""

    tone: str
    icon: str
    title: str
    text: str
    deed: str
    url: str
    in_dialog: bool = False  # whether the deed opens there


def tasks(consumer: Consumer) -> list[Task]:
    """Return what needs attention, the worst first."""
    found = [
        *_dead_clients(consumer),
        *_refused_clients(consumer),
        *_ending_secrets(consumer),
        *_ended_invitations(consumer),
        *_unused(consumer),
    ]
    return sorted(found, key=lambda task: ("bad", "warn", "quiet").index(task.tone))


def _page(name: str, client: Client, *more: Any) -> str:
    return reverse(f"clients:{name}", args=[client.consumer.slug, client.client_id, *more])


def _there(consumer: Consumer, **chosen: str) -> str:
    """Return the address of the list of clients, of those that are chosen."""
    return reverse("clients:index", args=[consumer.slug], query=chosen)


def _dead_clients(consumer: Consumer) -> Iterator[Task]:
    """Clients that can get no token, because no secret of theirs works."""
    mine = with_state(Client.objects.of(consumer)).select_related("consumer")
    for state, (one, text, many) in DEAD.items():
        found = mine.filter(state=state)
        if (count := found.count()) > FEW:
            title = many.format(counted(count, "client").capitalize())
            yield Task(
                "bad",
                "circle-x",
                title,
                "They cannot get a token until they have one.",
                "See them",
                _there(consumer, state=state),
            )
            continue
        for client in found:
            url = _page("add-secret", client)
            yield Task("bad", "circle-x", one.format(client), text, "Add a secret", url, in_dialog=True)


def _refused_clients(consumer: Consumer) -> Iterator[Task]:
    """Clients that could work, and had requests refused since yesterday, each with its latest reason."""
    able = with_state(Client.objects.of(consumer)).exclude(state__in=("disabled", "expired", "bare"))
    since = timezone.now() - REFUSED_WITHIN
    latest = Problem.objects.filter(client__in=able.values("pk"), last_at__gt=since).select_related("client__consumer")
    for problem in latest.order_by("client_id", "-last_at", "-pk").distinct("client_id")[:MOST_REFUSED]:
        whence = f", from {problem.last_ip}" if problem.last_ip else ""
        yield Task(
            "warn",
            "circle-x",
            f"Requests of {problem.client} are being refused",
            f"{describe(problem, problem.client).title}: {counted(problem.count, 'request')}, "
            f"the last {away(problem.last_at)}{whence}.",
            "See what to fix",
            reverse("tokens:problems", args=[consumer.slug, problem.client.client_id]),
        )


def _ending_secrets(consumer: Consumer) -> Iterator[Task]:
    """Secrets that end soon, or are being replaced."""
    soon = Q(expires_at__lte=timezone.now() + ClientSecret.SOON)
    live = ClientSecret.objects.live().filter(client__consumer=consumer, client__disabled_at=None)
    live = live.select_related("client__consumer", "ends_after_use_of").order_by("expires_at", "created_at")
    for secret in live.filter(soon | ~Q(rotated_at=None)):
        client = secret.client
        if secret.state == "rotating":
            if secret.expires_at:
                ends = f"{secret} ends {away(secret.expires_at)}, on {moment(secret.expires_at)}."
            else:
                ends = f"{secret} ends a day after {secret.ends_after_use_of} is first used."
            yield Task(
                "warn",
                "rotate-cw",
                f"A secret of {client} is being replaced",
                f"{ends} Put the new one wherever the old one is.",
                "See its secrets",
                _page("secrets", client),
            )
        elif secret.ends_soon and secret.expires_at:
            yield Task(
                "warn",
                "clock",
                f"A secret of {client} ends {away(secret.expires_at)}",
                f"{secret} stops working on {moment(secret.expires_at)}. "
                "Rotate it now, and both secrets work until you switch over.",
                "Rotate it",
                _page("rotate-secret", client, secret.pk),
                in_dialog=True,
            )


def _ended_invitations(consumer: Consumer) -> Iterator[Task]:
    for invitation in consumer.invitations.pending().filter(expires_at__lte=timezone.now()):
        yield Task(
            "quiet",
            "mail",
            f"The invitation of {invitation.email} has ended",
            f"Nobody accepted it until {moment(invitation.expires_at)}. Send it again, or withdraw it.",
            "See the people",
            reverse("consumers:people", args=[consumer.slug]),
        )


def _unused(consumer: Consumer) -> Iterator[Task]:
    """Clients that could work for a week and never did."""
    mine = with_state(Client.objects.of(consumer)).select_related("consumer", "user")
    old = mine.filter(state="active", last_used_at=None, created__lt=timezone.now() - UNUSED_AFTER)
    if (count := old.count()) > FEW:
        title = f"{counted(count, 'client').capitalize()} have never asked for a token"
        text = "They could have for a week. Set them up, or delete those that nobody needs."
        yield Task("quiet", "circle-help", title, text, "See them", _there(consumer, used="never"))
        return
    for client in old.order_by("created"):
        yield Task(
            "quiet",
            "circle-help",
            f"{client} has never asked for a token",
            f"{client.user or 'Somebody'} registered it {away(client.created)}. "
            "See how it connects, or delete it if nobody needs it.",
            "See how it connects",
            _page("detail", client),
        )
