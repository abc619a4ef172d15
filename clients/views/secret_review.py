"""The secrets review of a workspace."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clients.secret_review import FLAGS, flag_counts, max_secret_age, secret_holders
from consumers.access import workspace
from consumers.models import Membership, Role


@workspace(Role.VIEWER)
@require_safe
def index(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List the clients that hold secrets, with alternatives."""
    consumer = membership.consumer
    holders = secret_holders(consumer)
    counts = flag_counts(holders, consumer)
    others = consumer.clients.exclude(pk__in=[holder.client.pk for holder in holders])
    context = {
        "here": "clients",
        "found": holders,
        "live": sum(len(holder.secrets) for holder in holders),
        "counts": counts,
        "is_clean": not any(counts.values()),
        "old_days": max_secret_age(consumer).days,
        "labels": FLAGS,
        "without": others.filter(disabled_at=None).count(),
    }
    return render(request, "clients/secret_review.html", context)
