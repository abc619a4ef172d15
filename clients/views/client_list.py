"""The list of a workspace's clients."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from clients import queries
from clients.forms.clients import TEMPLATE_OPTIONS
from clients.forms.filters import FilterForm
from clients.models import Client
from clients.vocabulary import ClientKind, ClientState, LastUse
from consumers.access import workspace
from consumers.models import Membership, Role
from core import htmx


@workspace(Role.VIEWER)
@require_safe
@vary_on_headers(htmx.TARGET)
def index(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List, search, filter and sort; a workspace without clients gets a page with the templates."""
    clients = Client.objects.of(membership.consumer)
    form = FilterForm(request.GET)
    keys = form.filtered(clients).values_list("pk", flat=True)
    counts = queries.count_by_state(clients)
    pages = Paginator(keys, queries.PAGE_SIZE)
    if set(form.filters) == {"state"}:
        pages.count = counts.get(form.filters["state"], 0)  # known already
    page = pages.get_page(request.GET.get("page"))
    if not page.object_list and not form.filters and not counts:
        return render(request, "clients/empty.html", {"here": "clients", "kinds": TEMPLATE_OPTIONS})
    page.object_list = queries.shown(clients, page.object_list)
    sort = form.selected.get("sort", "name")
    context = {
        "here": "clients",
        "page": page,
        "form": form,
        "wanted": form.selected,
        "sort": sort,
        "next_sort": {name: f"-{name}" if sort == name else name for name in queries.SORTS},
        "counts": [
            (counts[state.value], "without secret" if state == ClientState.NO_SECRET else str(state.label).lower())
            for state in ClientState
            if state.value in counts
        ],
        "total": sum(counts.values()),
        "states": dict(ClientState.choices),
        "kinds": dict(ClientKind.choices),
        "used": dict(LastUse.choices),
        "sorts": queries.SORTS,
    }
    swapped = htmx.is_target(request, "clients")
    return render(request, "clients/index.html#rows" if swapped else "clients/index.html", context)
