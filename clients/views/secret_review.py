"""What is left on secrets in a workspace, and each client's way off them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clients import secret_review as read
from consumers.access import workspace
from consumers.models import Membership, Role


@workspace(Role.VIEWER)
@require_safe
def hygiene(request: HttpRequest, membership: Membership) -> HttpResponse:
    consumer = membership.consumer
    found = read.on_secrets(consumer)
    counts = read.counts(found, consumer)
    context = {
        "here": "clients",
        "found": found,
        "live": sum(len(each.secrets) for each in found),
        "counts": counts,
        "is_clean": not any(counts.values()),
        "old_days": read.old_after(consumer).days,
        "labels": read.FLAGS,
        "without": consumer.clients.exclude(pk__in=[each.client.pk for each in found]).filter(disabled_at=None).count(),
    }
    return render(request, "clients/hygiene.html", context)
