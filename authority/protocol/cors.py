"""Which pages of other origins may read our answers? Those of the client that the request is about (Fetch section 3.2).

Never every origin, but for the document that tells a page where to register, and never with cookies. A request without
a proven client gets an error that tells nothing of any client, so every registered page may read it; asking the named
client instead would tell a stranger that it exists.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from authority.telemetry import request_trace
from clients.models import Client

View = Callable[..., HttpResponse]

HEADERS = "Authorization, Content-Type, DPoP"
EXPOSED = "DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id"
MAX_AGE = 3600  # seconds that a browser may keep a preflight; each answer is judged anew
# What is worth asking the database: not “null”, which every sandboxed page sends, and nothing it cannot store.
ORIGIN = re.compile(r"https?://[\x21-\x7e]{1,300}")

_allowed: ContextVar[list[str] | None] = ContextVar("origins that may read the answer", default=None)


def answers(client: Client) -> None:
    """Note that the answer to the current request is for this client, which has proven itself."""
    _allowed.set(client.allowed_cors_origins if client.is_usable(None) else [])


def answers_nobody() -> None:
    """Note that no page may read the answer to the current request, so that nobody need be asked which may."""
    _allowed.set([])


def cross_origin(*methods: str) -> Callable[[View], View]:
    """Answer preflights, and let the client's own pages read what the view answers."""

    def decorate(view: View) -> View:
        @wraps(view)
        def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            token = _allowed.set(None)
            try:
                preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
                response = options(methods) if preflight else view(request, *args, **kwargs)
                patch_vary_headers(response, ["Origin"])
                origin = request.headers.get("Origin", "")
                if not _may_read(origin):
                    if _allowed.get() is not None and origin:
                        request_trace.unread("origin_not_allowed", origin=origin)
                else:
                    response["Access-Control-Allow-Origin"] = origin
                    if preflight:
                        response["Access-Control-Allow-Methods"] = ", ".join(methods)
                        response["Access-Control-Allow-Headers"] = HEADERS
                        response["Access-Control-Max-Age"] = str(MAX_AGE)
                    else:
                        response["Access-Control-Expose-Headers"] = EXPOSED
            finally:
                _allowed.reset(token)
            return response

        return door

    return decorate


def options(methods: tuple[str, ...]) -> HttpResponse:
    return HttpResponse(status=204, headers={"Allow": ", ".join((*methods, "OPTIONS")), "Cache-Control": "no-store"})


def _may_read(origin: str) -> bool:
    """Compare letter by letter with the origins of the client or, where none is known, of all usable ones."""
    if not ORIGIN.fullmatch(origin):
        return False
    allowed = _allowed.get()
    if allowed is not None:
        return origin in allowed
    try:
        return Client.objects.usable().filter(allowed_cors_origins__contains=[origin]).exists()
    except Error:  # the database is away, as the answer says already
        return False
