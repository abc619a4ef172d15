"""The secrets review of a workspace."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clients.secret_review import FLAGS, holders_by_flags, max_secret_age, secret_counts, secret_holders
from consumers.access import workspace
from consumers.models import Membership, Role

PAGE_SIZE = 50


@workspace(Role.VIEWER)
@require_safe
def index(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List the clients that hold secrets, with alternatives."""
    consumer = membership.consumer
    counts = secret_counts(consumer)
    pages = Paginator(holders_by_flags(consumer), PAGE_SIZE)
    pages.count = counts.pop("holders")
    page = pages.get_page(request.GET.get("page"))
    holders = secret_holders(consumer, list(page.object_list))
    live = counts.pop("live")
    context = {
        "here": "clients",
        "page": page,
        "found": holders,
        "live": live,
        "counts": counts,
        "is_clean": not any(counts.values()),
        "old_days": max_secret_age(consumer).days,
        "labels": FLAGS,
        "without": 0 if holders else consumer.clients.filter(disabled_at=None).count(),
    }
    return render(request, "clients/secret_review.html", context)
