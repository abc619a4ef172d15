"""How a gate stands before every view, and what no gate closes.

A gate judges a session that opens only some of the pages: one that is bound to a workspace, and one of an end user.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# For everybody, and alike for everybody.
PUBLIC = frozenset(
    {
        "api:reference",
        "api:openapi",
        "oidc-discovery",
        "oauth-metadata",
        "jwks",
        "alive",
        "ready",
    }
)
# Signing out, and where a sign-in at a connection begins another session.
SIGN_IN_AND_OUT = frozenset(
    {
        "home",
        "account_logout",
        "end-session",
        "end-session-decision",
        "consumers:portal-link",
        "connections:login",
        "connections:callback",
    }
)
# Where a page sends a person who authenticated too long ago for what they want to do.
REAUTHENTICATION = frozenset(
    {
        "account_reauthenticate",
        "consumers:reauthenticate-by-code",
        "connections:reauthenticate",
        "connections:reauthenticated",
        "mfa_reauthenticate",
        "mfa_reauthenticate_webauthn",
    }
)

GetResponse = Callable[[HttpRequest], HttpResponse]
# Takes the request, the name of the view and what its address holds; returns what is answered in place of the view.
Judge = Callable[[HttpRequest, str, Mapping[str, Any]], HttpResponse | None]


def before_every_view(judge: Judge) -> Callable[[GetResponse], GetResponse]:
    """Make middleware of a gate: it is asked before each view, of requests that bring a session's cookie."""

    def gate(get_response: GetResponse) -> GetResponse:
        def middleware(request: HttpRequest) -> HttpResponse:
            return get_response(request)

        def process_view(
            request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
        ) -> HttpResponse | None:
            # Without the cookie nobody is signed in, and whatever is public stays cacheable.
            if settings.SESSION_COOKIE_NAME not in request.COOKIES:
                return None
            assert request.resolver_match is not None
            return judge(request, request.resolver_match.view_name, kwargs)

        middleware.process_view = process_view  # type: ignore[attr-defined]
        return middleware

    return gate
