"""The list of a workspace's clients."""

from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clients import queries
from clients.forms.clients import KINDS
from clients.forms.filters import FilterForm
from clients.models import Client
from consumers.access import workspace
from consumers.models import Membership, Role


@workspace(Role.VIEWER)
@require_safe
def index(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List, search, filter and sort; an empty workspace teaches the first step."""
    mine = Client.objects.of(membership.consumer)
    form = FilterForm(request.GET)
    page = Paginator(form.find(mine), queries.PAGE).get_page(request.GET.get("page"))
    if not page.object_list and not form.filters and not mine.exists():
        return render(request, "clients/empty.html", {"here": "clients", "kinds": KINDS})
    for client, days in zip(page, queries.tokens_by_day(page).values(), strict=True):
        client.tokens_by_day = days
    counts = dict(
        queries.with_state(mine)
        .order_by()
        .values_list("state")
        .annotate(count=Count("pk"))
        .values_list("state", "count")
    )
    sort = form.wanted.get("sort", "name")
    context = {
        "here": "clients",
        "page": page,
        "form": form,
        "wanted": form.wanted,
        "sort": sort,
        "turn": {name: f"-{name}" if sort == name else name for name in queries.SORTS},
        "counts": [
            (counts[state], "without secret" if state == "bare" else label.lower())
            for state, label in queries.STATES.items()
            if state in counts
        ],
        "total": sum(counts.values()),
        "states": queries.STATES,
        "kinds": queries.KINDS,
        "used": queries.USED,
        "sorts": queries.SORTS,
    }
    swapped = request.headers.get("HX-Target") == "clients"
    return render(request, "clients/index.html#rows" if swapped else "clients/index.html", context)
