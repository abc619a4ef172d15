"""Home, the workspace's dashboard, and error pages."""

import sys

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from clients.forms.clients import TEMPLATE_OPTIONS
from clients.models import Client
from clients.queries import with_state
from consumers.access import workspace
from consumers.accounts.bound_sessions import binding_of
from consumers.activity import timeline
from consumers.models import Consumer, Event, Membership, Role, User
from core.db import outages
from core.rest import responses
from portal.dashboard.alerts import alerts_of
from portal.dashboard.usage_chart import usage_chart

RECENT = 6


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead a person to their workspace, or to the choice of theirs; an end user to their apps."""
    assert isinstance(request.user, User)
    if (binding := binding_of(request)) is not None:
        bound = get_object_or_404(Consumer.objects.visible_to(request.user), pk=binding.consumer_id)
        return redirect("dashboard", bound.slug)
    if request.user.is_end_user:
        return redirect("apps")
    consumers = list(Consumer.objects.visible_to(request.user)[:2])
    if len(consumers) == 1:
        return redirect("dashboard", consumers[0].slug)
    if not consumers and request.user.is_staff:
        return redirect("admin:index")
    return redirect("consumers:choose")


@workspace(Role.VIEWER)
@require_safe
def dashboard(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Say what needs somebody, how much is used and what was done last. An empty workspace teaches the first step."""
    consumer = membership.consumer
    clients = Client.objects.of(consumer)
    recent = clients.order_by(F("last_used_at").desc(nulls_last=True), "client_name")
    shown = list(with_state(recent.filter(pk__in=list(recent.values_list("pk", flat=True)[:RECENT]))))
    events = Event.objects.filter(consumer=consumer)[:RECENT]
    total = clients.count()
    context = {
        "here": "home",
        "tasks": alerts_of(consumer),
        "clients": shown,
        "total": total,
        "usage": usage_chart(consumer, clients=total),
        "last_used": shown[0].last_used_at if shown else None,
        "entries": timeline.describe_all(events, consumer),
        "kinds": TEMPLATE_OPTIONS,
    }
    return render(request, "portal/dashboard.html", context)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer without session, user or database: one of them may be what failed.

    Django calls this while it handles the exception. When that tells of a database that is away, it is for a moment.
    """
    exception = sys.exception()
    context = {
        "portal_name": settings.PORTAL_NAME,
        "operator_contact": settings.OPERATOR_CONTACT,
        "request_id": getattr(request, "id", ""),
        "again": request.get_full_path() if request.method == "GET" else "",
    }
    if exception is not None and outages.is_outage(exception):
        response = HttpResponse(render_to_string("503.html", context), status=503)
        return responses.unavailable(exception, request.path, response)
    return HttpResponse(render_to_string("500.html", context), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "csrf.html", status=403)
