"""The front door and the pages for when something is wrong."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string

from consumers.models import Consumer, User


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Lead a person to their workspace, or to the choice of theirs."""
    assert isinstance(request.user, User)
    consumers = list(Consumer.objects.visible_to(request.user)[:2])
    if len(consumers) == 1:
        return redirect("dashboard", consumers[0].slug)
    if not consumers and request.user.is_staff:
        return redirect("admin:index")
    return redirect("consumers:choose")


def dashboard(request: HttpRequest, consumer_slug: str) -> HttpResponse:
    return HttpResponse()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer without session, user or database: one of them may be what failed."""
    page = render_to_string(
        "500.html",
        {
            "portal_name": settings.PORTAL_NAME,
            "operator_contact": settings.OPERATOR_CONTACT,
            "request_id": getattr(request, "id", ""),
        },
    )
    return HttpResponse(page, status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "csrf.html", status=403)
