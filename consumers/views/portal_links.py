"""The page that a link of the provider's application opens. A GET uses nothing up: mail scanners follow links."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from consumers.accounts import bound_sessions
from consumers.actions import people as people_actions
from consumers.actions import portal_links as portal_link_actions
from consumers.audit import Actor, request_origin
from consumers.models import PortalLink
from core.errors import Refusal
from core.rate_limits import rate_limited


@require_http_methods(["GET", "HEAD", "POST"])
@rate_limited("60/m/ip")
def portal_link(request: HttpRequest, token: str) -> HttpResponse:
    """Show whom the link signs in where; POST does it."""
    opened = portal_link_actions.find_open_portal_link(token)
    if opened is None:
        return _closed(request)
    if request.method != "POST":
        return _show(request, opened)
    actor = Actor(kind="person", id="", label="", **request_origin(request))
    try:
        person, link = portal_link_actions.use_portal_link(token=token, actor=actor)
    except portal_link_actions.PortalLinkClosed:  # somebody was faster
        return _closed(request)
    except Refusal as refusal:
        return _show(request, opened, refusal=refusal, status=refusal.status)
    bound_sessions.start(request, person, link)
    people_actions.record_sign_in(
        person=person,
        method=f"Link from {bound_sessions.Binding(link.consumer_id, link.return_to).host}",
        session_key=request.session.session_key or "",
        actor=Actor.of(request),
    )
    return redirect(settings.WORKSPACE_URL, link.consumer.slug)


def _show(request: HttpRequest, opened: PortalLink, refusal: Refusal | None = None, status: int = 200) -> HttpResponse:
    host = bound_sessions.Binding(opened.consumer_id, opened.return_to).host
    context = {"link": opened, "host": host, "refusal": refusal}
    return render(request, "consumers/portal_link.html", context, status=status)


def _closed(request: HttpRequest) -> HttpResponse:
    """Say the same of used, expired, altered and made-up links, so that none tells which it is."""
    return render(request, "consumers/portal_link_closed.html", status=404)
