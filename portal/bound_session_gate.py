"""What stands before every page in a session that is bound to one workspace: nothing opens that is not named here."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from consumers.accounts import bound_sessions
from consumers.models import User

# What opens besides the pages of the workspace, of which consumers/access.py opens none but the session's own.
OPEN = frozenset(
    {
        "home",
        "account_logout",
        "end-session",
        "end-session-decision",
        "consumers:portal-link",
        # Where the workspace requires a connection: the sign-in there begins another session, bound to nothing.
        "connections:login",
        "connections:callback",
        # For everybody, and alike for everybody.
        "api:reference",
        "api:openapi",
        "oidc-discovery",
        "oauth-metadata",
        "jwks",
        "alive",
        "ready",
    }
)
# Where a page sends a person who authenticated too long ago for what they want to do.
REAUTHENTICATION = frozenset(
    {
        "account_reauthenticate",
        "consumers:reauthenticate-by-code",
        "connections:reauthenticate",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
    }
)


def keep_bound_sessions(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Keep a session that a link of the provider's application opened to its workspace, and from operators."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(
        request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        if bound_sessions.binding_of(request) is None:
            return None
        user = request.user
        if not isinstance(user, User) or user.is_staff or user.is_superuser:  # made an operator since
            logout(request)
            return redirect_to_login(request.get_full_path())
        assert request.resolver_match is not None
        name = request.resolver_match.view_name
        if name in OPEN or "consumer_slug" in kwargs:
            return None
        context = {"wants_authentication": name in REAUTHENTICATION}
        return render(request, "consumers/bound.html", context, status=403)

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware
