"""/device: a person enters the user code of a device, and allows or denies its request (RFC 8628 section 3.3)."""

from typing import cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from authority.authorization import consents, device_requests
from authority.models import DeviceRequest
from authority.people import browser_authentication
from clients.models import Scope
from clients.vocabulary import IDENTITY_SCOPES
from consumers.access import token_refusal
from consumers.audit import Actor
from consumers.models import User
from core.client_ip import caller_ip
from core.errors import Conflict
from core.rate_limits import rate_limited
from core.throttling import network_of

UNKNOWN = "This code is unknown or has expired. Compare it with the one shown, or start again on the device."


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@rate_limited("20/10m/user")  # a code is short, so it must not be guessed (RFC 8628 section 5.1)
def device(request: HttpRequest) -> HttpResponse:
    """Look the code up only on POST: a link that contains a code opens no request (section 5.4)."""
    typed = (request.POST if request.method == "POST" else request.GET).get("user_code", "")[:40]
    if request.method != "POST":
        return _ask_for_code(request, typed)
    found = device_requests.find_waiting(typed)
    if found is None:
        return _ask_for_code(request, typed, UNKNOWN)
    if (refused := token_refusal(request, cast(User, request.user), found.scopes)) is not None:
        return refused
    if request.POST.get("decision") not in ("allow", "deny"):
        return _confirm(request, found, typed)
    return _answer(request, found)


def _ask_for_code(request: HttpRequest, typed: str, error: str = "") -> HttpResponse:
    context = {"typed": typed, "error": error}
    return render(request, "authority/device.html", context, status=422 if error else 200)


def _confirm(request: HttpRequest, found: DeviceRequest, typed: str) -> HttpResponse:
    code = device_requests.normalize_user_code(typed)
    context = {
        "asked": found,
        "is_near": network_of(found.ip) == network_of(caller_ip(request)),
        "client": found.client,
        "consumer": found.client.consumer,
        "user_code": f"{code[:4]}-{code[4:]}",
        "scopes": found.scopes,
        "asks_who": any(value in IDENTITY_SCOPES for value in found.scopes),
        "permissions": Scope.objects.select_related("api").filter(value__in=found.scopes),
        "learned": consents.learned_claims(found.scopes),
    }
    return render(request, "authority/device_confirm.html", context)


def _answer(request: HttpRequest, found: DeviceRequest) -> HttpResponse:
    """Apply the decision: identity scopes as a whole, each permission by itself; none ticked is a denial."""
    ticked = request.POST.getlist("scope") if request.POST["decision"] == "allow" else []
    wanted = found.scopes if request.POST["decision"] == "allow" else []
    scopes = [value for value in wanted if value in IDENTITY_SCOPES or value in ticked]
    try:
        device_requests.decide(
            request=found,
            user=cast(User, request.user),
            scopes=scopes,
            actor=Actor.of(request),
            now=browser_authentication.current_authentication(request),
        )
    except Conflict as refusal:
        return _ask_for_code(request, "", refusal.description)
    return render(request, "authority/device_done.html", {"client": found.client, "allowed": bool(scopes)})
