"""Alerts on a workspace's dashboard: what needs a manager today."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone

from authority.diagnostics.problem_messages import describe
from authority.models import Problem
from clients.models import Client, ClientSecret, RequestState
from clients.models.secrets import REPLACED
from clients.queries import able, count_by_state, in_state
from consumers.models import Consumer
from core.timefmt import near_date_time
from portal.templatetags.ui import away, counted

UNUSED_AFTER = timedelta(days=7)
EXPIRES_SOON = timedelta(days=14)  # of a permission
REFUSED_WITHIN = timedelta(days=1)
MAX_REFUSED = 10  # clients that are listed
MAX_LOOKED_AT = 200  # clients with refused requests of which these are chosen
MAX_SINGLE = 3  # with the same trouble that get an alert each; more of them share one
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
        *_permissions(consumer),
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
    mine = Client.objects.of(consumer)
    counts = count_by_state(mine)
    for state, (one, text, many) in WITHOUT_SECRET.items():
        if (count := counts.get(state, 0)) > MAX_SINGLE:
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
        for client in in_state(mine, state).select_related("consumer") if count else ():
            url = _client_url("create-secret", client)
            yield Alert("bad", "circle-x", one.format(client), text, "Create a secret", url, in_dialog=True)


def _refused_clients(consumer: Consumer) -> Iterator[Alert]:
    """Clients that could work, and had requests refused since yesterday, each with its latest reason."""
    since = timezone.now() - REFUSED_WITHIN
    recent = Problem.objects.filter(client__consumer=consumer, last_at__gt=since)
    refused = list(recent.order_by("client_id").values_list("client_id", flat=True).distinct()[:MAX_LOOKED_AT])
    listed = list(able(Client.objects.filter(pk__in=refused)).order_by("pk").values_list("pk", flat=True)[:MAX_REFUSED])
    latest = recent.filter(client__in=listed).order_by("client_id", "-last_at", "-pk").distinct("client_id")
    for problem in latest.select_related("client__consumer"):
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
    """Secrets that are being replaced, or end soon."""
    live = ClientSecret.objects.live().filter(client__consumer=consumer, client__disabled_at=None)
    ending = Q(rotated_at=None, expires_at__lte=timezone.now() + ClientSecret.SOON)
    counts = live.filter(REPLACED | ending).aggregate(
        rotating=Count("pk", filter=REPLACED), ending=Count("pk", filter=ending)
    )
    live = live.select_related("client__consumer", "expires_after_use_of").order_by("expires_at", "created_at")
    if counts["rotating"] > MAX_SINGLE:
        title = f"{counted(counts['rotating'], 'secret').capitalize()} are being replaced"
        text = "Put the new ones wherever the old ones are."
        yield Alert("warn", "rotate-cw", title, text, "Review", _client_list_url(consumer, state="rotating"))
    elif counts["rotating"]:
        yield from (_rotating_secret(secret) for secret in live.rotating())
    if counts["ending"] > MAX_SINGLE:
        title = f"{counted(counts['ending'], 'secret').capitalize()} expire within {ClientSecret.SOON.days} days"
        text = "Rotate them now: both secrets of a client work until you switch."
        url = reverse("clients:secret-review", args=[consumer.slug])
        yield Alert("warn", "clock", title, text, "Review secrets", url)
    elif counts["ending"]:
        yield from (_ending_secret(secret) for secret in live.filter(ending))


def _rotating_secret(secret: ClientSecret) -> Alert:
    if secret.expires_at:
        ends = f"{secret} expires {away(secret.expires_at)}, on {near_date_time(secret.expires_at)}."
    else:
        ends = f"{secret} expires a day after {secret.expires_after_use_of} is first used."
    return Alert(
        "warn",
        "rotate-cw",
        f"A secret of {secret.client} is being replaced",
        f"{ends} Put the new one wherever the old one is.",
        "Review secrets",
        _client_url("secrets", secret.client),
    )


def _ending_secret(secret: ClientSecret) -> Alert:
    assert secret.expires_at is not None
    return Alert(
        "warn",
        "clock",
        f"A secret of {secret.client} expires {away(secret.expires_at)}",
        f"{secret} stops working on {near_date_time(secret.expires_at)}. "
        "Rotate it now: both secrets work until you switch.",
        "Rotate it",
        _client_url("rotate-secret", secret.client, secret.pk),
        in_dialog=True,
    )


def _ended_invitations(consumer: Consumer) -> Iterator[Alert]:
    found = consumer.invitations.pending().filter(expires_at__lte=timezone.now())
    if (count := found.count()) > MAX_SINGLE:
        title = f"{counted(count, 'invitation').capitalize()} have expired"
        text = "They were not accepted. Resend them, or revoke those that are not needed."
        yield Alert("quiet", "mail", title, text, "Review people", reverse("consumers:people", args=[consumer.slug]))
        return
    for invitation in found if count else ():
        yield Alert(
            "quiet",
            "mail",
            f"The invitation of {invitation.email} has expired",
            f"It was not accepted by {near_date_time(invitation.expires_at)}. Resend it, or revoke it.",
            "Review people",
            reverse("consumers:people", args=[consumer.slug]),
        )


def _permissions(consumer: Consumer) -> Iterator[Alert]:
    """Questions about requests, and permissions that expire soon."""
    asked = consumer.permission_requests.filter(state=RequestState.ASKED).select_related("scope")
    for request in asked[:MAX_SINGLE]:
        yield Alert(
            "warn",
            "circle-help",
            f"An operator asks you something about {request.scope.value}",
            f"{request.question} Answer it, and your request goes on.",
            "Answer",
            reverse("clients:permission-request", args=[consumer.slug, request.pk]),
        )
    expiring = consumer.access.live().filter(expires_at__lt=timezone.now() + EXPIRES_SOON).select_related("scope")
    for access in expiring.order_by("expires_at")[:MAX_SINGLE]:
        assert access.expires_at is not None
        yield Alert(
            "warn",
            "clock",
            f"The permission {access.scope.value} expires {away(access.expires_at)}",
            f"No client gets a token with it from {near_date_time(access.expires_at)} on. Ask for it for longer.",
            "See the permissions",
            reverse("clients:permissions", args=[consumer.slug]),
        )


def _unused(consumer: Consumer) -> Iterator[Alert]:
    """Clients that could work for a week and never did."""
    mine = Client.objects.of(consumer).filter(last_used_at=None, created__lt=timezone.now() - UNUSED_AFTER)
    old = in_state(mine, "active").select_related("consumer", "user")
    if (count := old.count()) > MAX_SINGLE:
        title = f"{counted(count, 'client').capitalize()} have never requested a token"
        text = "They exist for more than a week. Set them up, or delete those that are not needed."
        yield Alert("quiet", "circle-help", title, text, "Review", _client_list_url(consumer, used="never"))
        return
    for client in old.order_by("created") if count else ():
        yield Alert(
            "quiet",
            "circle-help",
            f"{client} has never requested a token",
            f"{client.user or 'Somebody'} created it {away(client.created)}. "
            "See how to connect it, or delete it if it is not needed.",
            "See how to connect",
            _client_url("detail", client),
        )
