"""/device: a person enters the user code of a device, and allows or denies its request (RFC 8628 section 3.3)."""

import time
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from authority import client_directory
from authority.authorization import consents, device_requests, sign_in_rules
from authority.authorization.sign_in_rules import SignInRule
from authority.models import DeviceRequest
from authority.people import browser_authentication
from authority.protocol.errors import InvalidScopeError
from clients.models import Scope, SignInBy
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
    if (refused := _refusal(request, found, typed)) is not None:
        return refused
    if request.POST.get("decision") not in ("allow", "deny"):
        return _confirm(request, found, typed)
    return _answer(request, found)


def _refusal(request: HttpRequest, found: DeviceRequest, typed: str) -> HttpResponse | None:
    """Return the page that says why the person may not allow the device anything, or None.

    It is asked before they are shown the request, and again when they decide.
    """
    person = cast(User, request.user)
    entry = client_directory.find(found.client.client_id)
    try:
        rule = None if entry is None else sign_in_rules.of_scopes(entry, found.scopes)
    except InvalidScopeError as error:
        return _ask_for_code(request, "", error.description or UNKNOWN)
    if rule is None:
        return _ask_for_code(request, "", UNKNOWN)
    shown = {"client": found.client, "consumer": found.client.consumer, "person": person, "apis": rule.apis}
    if not rule.admits(person, request.session.session_key or ""):
        shown |= {"connections": list(rule.connections), "is_own_login": rule.mode == SignInBy.OWN_LOGIN}
        return render(request, "authority/not_admitted.html", shown, status=403)
    return _to_authenticate(request, rule, shown, typed) or token_refusal(request, person, found.scopes)


def _to_authenticate(request: HttpRequest, rule: SignInRule, shown: dict[str, Any], typed: str) -> HttpResponse | None:
    """Return the page on which the person authenticates as the APIs want it, or None where they have."""
    now = browser_authentication.current_authentication(request)
    if rule.max_age is not None and (now is None or now.at + rule.max_age < time.time()):
        return _redirect_to("account_reauthenticate", typed)
    if not rule.requires_two_factors or (now is not None and "mfa" in now.methods):
        return None
    if browser_authentication.has_unused_second_factor(request, now):
        return _redirect_to("mfa_reauthenticate", typed)
    apis = [api for api in rule.apis if api.requires_two_factors]
    return render(
        request, "authority/second_factor_needed.html", shown | {"apis": apis, "go_on": _address(typed)}, status=403
    )


def _address(typed: str) -> str:
    return f"{reverse('device')}?{urlencode({'user_code': typed})}"


def _redirect_to(page: str, typed: str) -> HttpResponse:
    """Redirect to a page on which the person authenticates, and which leads back to the code."""
    return redirect(f"{reverse(page)}?{urlencode({REDIRECT_FIELD_NAME: _address(typed)})}")


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
