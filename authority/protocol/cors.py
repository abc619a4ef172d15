"""CORS: pages of the client that sent the request may read the response (Fetch section 3.2).

Never every origin, except for the document that tells a page where to register, and never with cookies. The error of a
request without an authenticated client says nothing about any client, so every registered origin may read it; looking
at the claimed client instead would tell a stranger that it exists.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from authority.telemetry import request_trace
from clients.models import Client

View = Callable[..., HttpResponse]

ALLOWED_HEADERS = "Authorization, Content-Type, DPoP"
EXPOSED_HEADERS = "DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id"
MAX_AGE = 3600  # seconds that a browser may cache a preflight; each response is checked anew
# Origins that can be registered: not “null”, which every sandboxed page sends, and nothing that cannot be stored.
ORIGIN = re.compile(r"https?://[\x21-\x7e]{1,300}")


def allow_origins_of(client: Client) -> None:
    """Let the origins of the authenticated client read the response to the current request."""
    request_trace.allow_origins(client.allowed_cors_origins if client.is_usable(None) else [])


def allow_no_origin() -> None:
    """Let no origin read the response to the current request, so that the database need not be queried."""
    request_trace.allow_origins([])


def cross_origin(*methods: str) -> Callable[[View], View]:
    """Answer preflights, and let the client's own pages read the view's response."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            request_trace.clear()
            preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
            response = preflight_response(methods) if preflight else view(request, *args, **kwargs)
            patch_vary_headers(response, ["Origin"])
            origin = request.headers.get("Origin", "")
            if not _may_read(origin):
                if request_trace.allowed_origins() is not None and origin:
                    request_trace.record_unreadable_response("origin_not_allowed", origin=origin)
            else:
                response["Access-Control-Allow-Origin"] = origin
                if preflight:
                    response["Access-Control-Allow-Methods"] = ", ".join(methods)
                    response["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
                    response["Access-Control-Max-Age"] = str(MAX_AGE)
                else:
                    response["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
            return response

        return wrapper

    return decorate


def preflight_response(methods: tuple[str, ...]) -> HttpResponse:
    return HttpResponse(status=204, headers={"Allow": ", ".join((*methods, "OPTIONS")), "Cache-Control": "no-store"})


def _may_read(origin: str) -> bool:
    """Compare exactly with the origins of the client or, where none is authenticated, of all usable clients."""
    if not ORIGIN.fullmatch(origin):
        return False
    allowed = request_trace.allowed_origins()
    if allowed is not None:
        return origin in allowed
    try:
        return Client.objects.usable().filter(allowed_cors_origins__contains=[origin]).exists()
    except Error:  # the database is away, as the answer says already
        return False
