"""What stands before every page for an operator: a live session, and a second factor that was used in it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from consumers.accounts import operator_sessions
from consumers.models import User
from core.demo import is_demo
from portal.session_gates import before_every_view

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


@before_every_view
def require_second_factor(request: HttpRequest, name: str, kwargs: Mapping[str, Any]) -> HttpResponse | None:
    """Lead an operator who has not used a second factor to where one is set up or used, whatever they ask for."""
    user = request.user
    return _next_step(request, user, name) if isinstance(user, User) and user.is_staff else None


def _next_step(request: HttpRequest, user: User, name: str) -> HttpResponse | None:
    """Return where the operator must go first, or None."""
    target = request.get_full_path() if request.method == "GET" else reverse("admin:index")
    if not operator_sessions.extend(request, user):
        return redirect_to_login(target)
    if name in ALWAYS_OPEN:
        return None
    if not user.holds_second_factor:
        return None if is_demo() else redirect("admin:security")
    if operator_sessions.used_second_factor(request, user):
        return None
    method = get_adapter().get_reauthentication_methods(user)[0]
    return redirect(f"{method['url']}?{urlencode({'next': target})}")
