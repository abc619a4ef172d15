"""What stands before every page for an operator: a live session, and a second factor that was used in it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from consumers.accounts import operator_sessions
from consumers.models import User
from core.demo import is_demo

# What opens before: setting up a factor, confirming who one is, and signing out.
ALWAYS_OPEN = frozenset(
    {
        "admin:security",
        "admin:logout",
        "account_logout",
        "account_reauthenticate",
        "consumers:reauthenticate-by-code",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
        "mfa_add_webauthn",
        "mfa_activate_totp",
    }
)


def require_second_factor(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Lead an operator who has not used a second factor to where one is set up or used, whatever they ask for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(request: HttpRequest, *view: Any) -> HttpResponse | None:
        # Without the cookie nobody is signed in, and whatever is public stays cacheable.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        user = request.user
        return _next_step(request, user) if isinstance(user, User) and user.is_staff else None

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def _next_step(request: HttpRequest, user: User) -> HttpResponse | None:
    """Return where the operator must go first, or None."""
    target = request.get_full_path() if request.method == "GET" else reverse("admin:index")
    if not operator_sessions.extend(request, user):
        return redirect_to_login(target)
    assert request.resolver_match is not None
    if request.resolver_match.view_name in ALWAYS_OPEN:
        return None
    if not user.holds_second_factor:
        return None if is_demo() else redirect("admin:security")
    if operator_sessions.used_second_factor(request, user):
        return None
    method = get_adapter().get_reauthentication_methods(user)[0]
    return redirect(f"{method['url']}?{urlencode({'next': target})}")
