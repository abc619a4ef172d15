"""Queries over clients: their state as the database computes it, filters, and order."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, When
from django.db.models import Value as V
from django.db.models.functions import Coalesce, Lower
from django.db.models.lookups import Exact, In
from django.utils import timezone

from clients.models import Client, ClientSecret
from clients.models.secrets import LIVE, REPLACED, ClientSecretQuerySet
from clients.vocabulary import SECRET_METHODS, ClientState, LastUse

PAGE_SIZE = 25
TOKEN_DAYS = 30
SORTS = {"name": "Name", "state": "State", "used": "Last used"}
# Filters by a field's exact value, and by a value that a list field contains.
EXACT_FILTERS = ("client_name", "owner")
CONTAINS_FILTERS = {"grant_type": "grant_types", "scope": "scopes", "redirect_uri": "redirect_uris"}


HOLDS_SECRETS = Q(token_endpoint_auth_method__in=SECRET_METHODS)


def _secrets() -> ClientSecretQuerySet:
    """Return the secrets of the client of an outer query."""
    return ClientSecret.objects.filter(client=OuterRef("pk")).order_by()


def _state() -> Case:
    """Return the expression of a client's state, one of ClientState, which takes one look at its secrets."""
    counted = _secrets().values("client").annotate(live=Count("pk", filter=LIVE))
    counted = counted.annotate(rotating=Count("pk", filter=LIVE & REPLACED))
    of_secrets = Case(
        When(rotating__gt=0, then=V(ClientState.ROTATING.value)),
        When(live__gt=0, then=V(ClientState.ACTIVE.value)),
        default=V(ClientState.EXPIRED.value),
    )
    said = Subquery(counted.values(said=of_secrets), output_field=CharField())
    return Case(
        When(~Q(disabled_at=None), then=V(ClientState.DISABLED.value)),
        When(HOLDS_SECRETS, then=Coalesce(said, V(ClientState.NO_SECRET.value))),
        When(Exact(said, V(ClientState.ROTATING.value)), then=V(ClientState.ROTATING.value)),
        default=V(ClientState.ACTIVE.value),
        output_field=CharField(),
    )


def in_state(clients: QuerySet[Client], state: str) -> QuerySet[Client]:
    """Return the clients in a state: the same as with_state() says, by conditions for which PostgreSQL joins tables."""
    enabled, live = clients.filter(disabled_at=None), Exists(_secrets().live())
    match ClientState(state):
        case ClientState.DISABLED:
            return clients.exclude(disabled_at=None)
        case ClientState.ROTATING:
            return enabled.filter(Exists(_secrets().live().rotating()))
        case ClientState.EXPIRED:
            return enabled.filter(HOLDS_SECRETS, ~live, Exists(_secrets()))
        case ClientState.NO_SECRET:
            return enabled.filter(HOLDS_SECRETS, ~Exists(_secrets()))
        case ClientState.ACTIVE:  # as most are: to look at each until a page is full is less than any join
            return clients.filter(Exact(_state(), V(state)))


def able(clients: QuerySet[Client]) -> QuerySet[Client]:
    """Return the clients whose state lets them get tokens: ACTIVE or ROTATING."""
    return clients.filter(In(_state(), [ClientState.ACTIVE.value, ClientState.ROTATING.value]))


def with_state(clients: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate with `live_secrets`, `first_end` (when the first of them ends) and `state`, one of ClientState.

    Each client costs some look-ups: annotate those that are shown. Filter by in_state().
    """
    live = _secrets().live().values("client")
    annotated: QuerySet[Any] = clients.annotate(
        live_secrets=Coalesce(Subquery(live.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), V(0)),
        first_end=Subquery(live.annotate(end=Min("expires_at")).values("end")),
        state=_state(),
    )
    return annotated


def count_by_state(clients: QuerySet[Any]) -> dict[str, int]:
    """Return how many of the clients are in each state, of those in which any is."""
    counted = clients.order_by().values(state=_state()).annotate(count=Count("pk"))
    return dict(counted.values_list("state", "count"))


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


def shown(clients: QuerySet[Client], keys: Iterable[int]) -> list[Client]:
    """Return those of the clients, in the order of their primary keys, with their state and `tokens_by_day`."""
    keys = list(keys)
    found = with_state(clients).in_bulk(keys)
    rows = [found[key] for key in keys if key in found]
    for client, days in zip(rows, tokens_by_day(rows).values(), strict=True):
        client.tokens_by_day = days
    return rows


def filter_clients(clients: QuerySet[Any], filters: Mapping[str, str]) -> QuerySet[Any]:
    """Apply the filters of client lists, on pages and in the API, by name; names of anything else are ignored."""
    conditions = Q()
    for name, value in filters.items():
        if name in EXACT_FILTERS:
            conditions &= Q(**{name: value})
        elif name in CONTAINS_FILTERS:
            conditions &= Q(**{f"{CONTAINS_FILTERS[name]}__contains": [value]})
        elif name == "q":
            conditions &= Q(client_name__icontains=value) | Q(client_id__icontains=value)
        elif name == "used":
            conditions &= _last_use(value)
    matching: QuerySet[Any] = clients.filter(conditions)
    if "state" in filters:
        matching = in_state(matching, filters["state"])
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
    key: Any = {"name": Lower("client_name"), "state": _state(), "used": F("last_used_at")}[name]
    if name == "used":  # ascending means latest first
        descending = not descending
    ordering = key.desc(nulls_last=True) if descending else key.asc(nulls_first=True)
    return clients.order_by(ordering, Lower("client_name"), "pk")
