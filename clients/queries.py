"""Queries over clients: their state as the database computes it, filters, and order."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, When
from django.db.models import Value as V
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from clients.models import Client, ClientSecret
from clients.vocabulary import SECRET_METHODS, ClientState, LastUse

PAGE_SIZE = 25
TOKEN_DAYS = 30
SORTS = {"name": "Name", "state": "State", "used": "Last used"}
# Filters by a field's exact value, and by a value that a list field contains.
EXACT_FILTERS = ("client_name", "owner")
CONTAINS_FILTERS = {"grant_type": "grant_types", "scope": "scopes", "redirect_uri": "redirect_uris"}


def with_state(clients: QuerySet[Client]) -> QuerySet[Any]:
    """Annotate with `live_secrets`, `first_end` (when the first of them ends) and `state`, one of ClientState."""
    secrets = ClientSecret.objects.filter(client=OuterRef("pk")).order_by()
    live = secrets.live().values("client")
    counted: QuerySet[Any] = clients.annotate(
        live_secrets=Coalesce(Subquery(live.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), V(0)),
        first_end=Subquery(live.annotate(end=Min("expires_at")).values("end")),
    )
    without_live = Q(token_endpoint_auth_method__in=SECRET_METHODS, live_secrets=0)
    state = Case(
        When(~Q(disabled_at=None), then=V(ClientState.DISABLED.value)),
        When(without_live & Exists(secrets), then=V(ClientState.EXPIRED.value)),
        When(without_live, then=V(ClientState.NO_SECRET.value)),
        When(Exists(secrets.live().rotating()), then=V(ClientState.ROTATING.value)),
        default=V(ClientState.ACTIVE.value),
        output_field=CharField(),
    )
    annotated: QuerySet[Any] = counted.annotate(state=state)
    return annotated


type IssuedCounts = Callable[[Iterable[int], date], Iterable[tuple[int, date, int]]]

_issued_counts: list[IssuedCounts] = []


def register_issued_counts(counts: IssuedCounts) -> None:
    """Take the function that knows how many tokens were issued.

    It returns client, day in UTC and number, for those of the clients (by primary key) that got any from a day on.
    """
    _issued_counts[:] = [counts]


def tokens_by_day(clients: Iterable[Client]) -> dict[int, list[int]]:
    """Return how many tokens each client got on each of the last TOKEN_DAYS days in UTC, today last."""
    first = timezone.now().date() - timedelta(days=TOKEN_DAYS - 1)
    result: dict[int, list[int]] = {client.pk: [0] * TOKEN_DAYS for client in clients}
    for issued_counts in _issued_counts:
        for pk, day, issued in issued_counts(result, first):
            if (index := (day - first).days) < TOKEN_DAYS:  # midnight may have passed
                result[pk][index] += issued
    return result


def filter_clients(clients: QuerySet[Any], filters: Mapping[str, str]) -> QuerySet[Any]:
    """Apply the filters of client lists, on pages and in the API, by name; names of anything else are ignored.

    `state` needs the annotation of with_state().
    """
    conditions = Q()
    for name, value in filters.items():
        if name in EXACT_FILTERS:
            conditions &= Q(**{name: value})
        elif name in CONTAINS_FILTERS:
            conditions &= Q(**{f"{CONTAINS_FILTERS[name]}__contains": [value]})
        elif name == "q":
            conditions &= Q(client_name__icontains=value) | Q(client_id__icontains=value)
        elif name == "state":
            conditions &= Q(state=value)
        elif name == "used":
            conditions &= _last_use(value)
    matching: QuerySet[Any] = clients.filter(conditions)
    return matching.of_kind(filters["kind"]) if "kind" in filters else matching  # type: ignore[attr-defined]


def _last_use(value: str) -> Q:
    now = timezone.now()
    return {
        LastUse.DAY: Q(last_used_at__gte=now - timedelta(days=1)),
        LastUse.MONTH: Q(last_used_at__gte=now - timedelta(days=30)),
        LastUse.LONG_AGO: Q(last_used_at__lt=now - timedelta(days=90)),
        LastUse.NEVER: Q(last_used_at=None),
    }[LastUse(value)]


def ordered(clients: QuerySet[Any], sort: str) -> QuerySet[Any]:
    """Sort by one of SORTS, descending after a minus sign; never used counts as longest ago."""
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    key: Any = {"name": Lower("client_name"), "state": F("state"), "used": F("last_used_at")}[name]
    if name == "used":  # ascending means latest first
        descending = not descending
    ordering = key.desc(nulls_last=True) if descending else key.asc(nulls_first=True)
    return clients.order_by(ordering, Lower("client_name"), "pk")
