"""The problem log of a client: why its requests were refused."""

from datetime import timedelta

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from authority.diagnostics.problem_messages import describe
from authority.models import DailyCount, Problem
from clients.views.common import get_client
from consumers.access import workspace
from consumers.models import Membership, Role

DAYS = {"1": "Since yesterday", "7": "Last 7 days", "30": "Last 30 days"}


# Display names of endpoints whose views are named otherwise.
ENDPOINTS = {
    "authorize": "authorization",
    "introspect": "introspection",
    "revoke": "revocation",
    "push": "pushed authorization request",
    "device_authorization": "device authorization",
    "identity": "workload token",
    "identity_token": "identity token",
}


@workspace(Role.VIEWER)
@require_safe
def problems(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """List the problems of the last days, the latest first."""
    client = get_client(membership, client_id)
    days = request.GET.get("days", "")
    days = days if days in DAYS else "30"
    since = timezone.now() - timedelta(days=int(days))
    found = Problem.objects.filter(client=client, last_at__gt=since).order_by("-last_at", "-pk")
    counts = DailyCount.objects.filter(client=client, day__gte=since.date())
    context = {
        "client": client,
        "tab": "problems",
        "here": "clients",
        "problems": [
            (problem, describe(problem, client), ENDPOINTS.get(problem.endpoint, problem.endpoint)) for problem in found
        ],
        "counts": counts.aggregate(issued=Sum("issued", default=0), refused=Sum("refused", default=0)),
        "periods": DAYS,
        "days": days,
    }
    return render(request, "authority/problems.html", context)
