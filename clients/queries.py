"""How a workspace's clients are found: their state as the database computes it, filters, and order."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, When
from django.db.models import Value as V
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from clients.models import Client, ClientSecret
from clients.vocabulary import SECRET_METHODS, GrantType

PAGE = 25
TOKEN_DAYS = 30
# State and how a page says it.
STATES = {
    "active": "Active",
    "rotating": "Rotating",
    "disabled": "Disabled",
    "expired": "Expired",
    "bare": "No secret",
}
KINDS = {
    "service": "Service",
    "workload": "Workload",
    "web": "Web app",
    "public": "Single-page or mobile app",
    "device": "Command line or TV app",
    "other": "Other",
}
USED = {
    "day": "Last 24 hours",
    "month": "Last 30 days",
    "long": "Over 90 days ago",
    "never": "Never",
}
SORTS = {"name": "Name", "state": "State", "used": "Last used"}


def with_state(clients: QuerySet[Client]) -> QuerySet[Any]:
    """Add `live_secrets`, `first_end` (when the first of them ends) and `state`, one of STATES."""
    live = ClientSecret.objects.live().filter(client=OuterRef("pk")).order_by().values("client")
    rotating = live.exclude(rotated_at=None).exclude(expires_at=None, ends_after_use_of=None)
    counted: QuerySet[Any] = clients.annotate(
        live_secrets=Coalesce(Subquery(live.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), V(0)),
        first_end=Subquery(live.annotate(end=Min("expires_at")).values("end")),
    )
    stated: QuerySet[Any] = counted.annotate(
        state=Case(
            When(~Q(disabled_at=None), then=V("disabled")),
            When(
                Q(token_endpoint_auth_method__in=SECRET_METHODS, live_secrets=0)
                & Exists(ClientSecret.objects.filter(client=OuterRef("pk"))),
                then=V("expired"),
            ),
            When(Q(token_endpoint_auth_method__in=SECRET_METHODS, live_secrets=0), then=V("bare")),
            When(Exists(rotating), then=V("rotating")),
            default=V("active"),
            output_field=CharField(),
        )
    )
    return stated


def tokens_by_day(clients: Iterable[Client]) -> dict[int, list[int]]:
    """Return how many tokens each client got on each of the last days in UTC, today at the end."""
    first = timezone.now().date() - timedelta(days=TOKEN_DAYS - 1)
    found: dict[int, list[int]] = {client.pk: [0] * TOKEN_DAYS for client in clients}
    counts = Client.objects.filter(pk__in=found, daily_counts__day__gte=first).order_by()
    for pk, day, issued in counts.values_list("pk", "daily_counts__day", "daily_counts__issued"):
        if (place := (day - first).days) < TOKEN_DAYS:  # midnight may have passed
            found[pk][place] += issued
    return found


def of_kind(clients: QuerySet[Any], kind: str) -> QuerySet[Any]:
    """Keep what Client.kind names so."""
    workload = ~Q(environment_type="")
    service = Q(grant_types=["client_credentials"])
    code = Q(grant_types__contains=["authorization_code"])
    public = Q(token_endpoint_auth_method="none")
    device = Q(grant_types__contains=[GrantType.DEVICE_CODE]) & ~code & ~service
    kinds = {
        "service": service,
        "web": code & ~public,
        "public": code & public,
        "device": device,
        "other": ~service & ~code & ~device,
    }
    found: QuerySet[Any] = clients.filter(workload if kind == "workload" else kinds[kind] & ~workload)
    return found


def used(clients: QuerySet[Any], when: str) -> QuerySet[Any]:
    now = timezone.now()
    return clients.filter(
        {
            "day": Q(last_used_at__gte=now - timedelta(days=1)),
            "month": Q(last_used_at__gte=now - timedelta(days=30)),
            "long": Q(last_used_at__lt=now - timedelta(days=90)),
            "never": Q(last_used_at=None),
        }[when]
    )


def in_order(clients: QuerySet[Any], sort: str) -> QuerySet[Any]:
    """Sort by one of SORTS, downwards after a minus sign; never used counts as longest ago."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    first: Any = {"name": Lower("client_name"), "state": F("state"), "used": F("last_used_at")}[name]
    if name == "used":  # the latest first is what a person asks for
        down = not down
    ordered = first.desc(nulls_last=True) if down else first.asc(nulls_first=True)
    return clients.order_by(ordered, Lower("client_name"), "pk")


def search(clients: QuerySet[Any], text: str) -> QuerySet[Any]:
    return clients.filter(Q(client_name__icontains=text) | Q(client_id__icontains=text)) if text else clients
