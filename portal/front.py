"""Stands before Django's handler: answers the commonest requests by authority/endpoints/shortcuts.py.

Those answers carry the headers that Django's middleware gives: it is run once, when a process starts, on a request of
our own. Requests that the middleware might refuse or redirect go to it.
"""

import io
import logging
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from authority.cors import cross_origin
from authority.endpoints import shortcuts
from authority.endpoints.protocol import FORM, endpoint
from authority.errors import OAuth2Error
from portal import logs
from portal.middleware import new_request_id

logger = logging.getLogger(__name__)

Start = Callable[[str, list[tuple[str, str]]], Any]
Environ = dict[str, Any]


class Front:
    """A WSGI callable around Django's."""

    def __init__(self, django: Callable[..., Any]) -> None:
        self.django = django
        self.token = reverse("token")
        self.headers = headers_of(cross_origin("POST")(endpoint("POST")(issued)))

    def __call__(self, environ: Environ, start_response: Start) -> Any:
        if environ["PATH_INFO"] == self.token and environ["REQUEST_METHOD"] == "POST":
            answer = self.shortcut(environ, start_response)
            if answer is not None:
                return answer
        return self.django(environ, start_response)

    def shortcut(self, environ: Environ, start_response: Start) -> list[bytes] | None:
        """Answer, or return None and leave the request as it was."""
        length = environ.get("CONTENT_LENGTH", "")
        if (
            environ.get("CONTENT_TYPE") != FORM
            or not (length.isdecimal() and 0 < int(length) <= shortcuts.LONGEST)
            or not shortcuts.is_plain(environ)
            or not comes_in(environ)
        ):
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        request_id = new_request_id()
        reset = logs.current_request.set(request_id)
        try:
            answer = shortcuts.token(environ, body)
        except OAuth2Error:
            return None
        except Exception:  # the ordinary way may do better, or say in its own words why not
            logger.warning("a shortcut failed", exc_info=True)
            return None
        finally:
            logs.current_request.reset(reset)
        if answer is None:
            return None
        start_response("200 OK", [*self.headers, ("X-Request-Id", request_id), ("Content-Length", str(len(answer)))])
        return [answer]


# -- What Django's middleware would do --------------------------------------------------------------------------------


def comes_in(environ: Environ) -> bool:
    """Say whether the middleware lets the request in: over TLS where that is needed, under a name that is ours."""
    if settings.SECURE_SSL_REDIRECT:
        proxied = settings.SECURE_PROXY_SSL_HEADER
        if proxied is None or environ.get(proxied[0]) != proxied[1]:
            return False
    return is_ours(environ.get("HTTP_HOST"))


@lru_cache(maxsize=64)
def is_ours(host: str | None) -> bool:
    request = HttpRequest()
    request.META = {"HTTP_HOST": host}
    try:
        return host is not None and bool(request.get_host())
    except DisallowedHost:
        return False


def issued(request: HttpRequest) -> HttpResponse:
    return HttpResponse(content_type="application/json")


def headers_of(view: Callable[[HttpRequest], HttpResponse]) -> list[tuple[str, str]]:
    """Return the headers of whatever the view answers, after the middleware, without those of the one answer."""
    public = urlsplit(settings.PUBLIC_URL)
    name, value = settings.SECURE_PROXY_SSL_HEADER or ("HTTP_X_FORWARDED_PROTO", "https")
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": public.hostname,
        "SERVER_PORT": "80",
        "HTTP_HOST": public.netloc,
        "wsgi.url_scheme": public.scheme,
        "wsgi.input": io.BytesIO(),
        name: value,
    }

    class Middleware(WSGIHandler):
        def _get_response(self, request: HttpRequest) -> HttpResponse:
            return view(request)

    response = Middleware().get_response(WSGIRequest(environ))
    of_one_answer = {"X-Request-Id", "Content-Length"}
    return [(name, value) for name, value in response.items() if name not in of_one_answer]
