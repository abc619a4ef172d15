"""Problems: why requests of a client were refused, for the people of its workspace."""

from datetime import timedelta

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from authority.diagnostics import problem_messages as words
from authority.models import DailyCount, Problem
from authority.telemetry.problem_log import KEPT
from clients.views.common import find
from consumers.access import workspace
from consumers.models import Membership, Role

DAYS = {"1": "Since yesterday", "7": "Last 7 days", "30": "Last 30 days"}


# Endpoints by the names of their doors, where these are not what people call them.
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
    """List the reasons, the latest first; which days to look at is the page's only question."""
    client = find(membership, client_id)
    days = request.GET.get("days", "")
    days = days if days in DAYS else str(KEPT.days)
    since = timezone.now() - timedelta(days=int(days))
    found = Problem.objects.filter(client=client, last_at__gt=since).order_by("-last_at", "-pk")
    counts = DailyCount.objects.filter(client=client, day__gte=since.date())
    context = {
        "client": client,
        "tab": "problems",
        "here": "clients",
        "problems": [
            (problem, words.describe(problem, client), ENDPOINTS.get(problem.endpoint, problem.endpoint))
            for problem in found
        ],
        "counts": counts.aggregate(issued=Sum("issued", default=0), refused=Sum("refused", default=0)),
        "periods": DAYS,
        "days": days,
    }
    return render(request, "authority/problems.html", context)
