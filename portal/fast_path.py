"""Stands before Django's handler: answers the commonest requests by authority/endpoints/fast_path.py.

Those answers carry the headers that Django's middleware gives: it is run once, when a process starts, on a request of
our own. Requests that the middleware might refuse or redirect go to it.
"""

import io
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from authority.endpoints import fast_path
from authority.endpoints.decorators import FORM, endpoint
from authority.protocol.cors import cross_origin
from authority.protocol.errors import OAuth2Error
from authority.telemetry import metrics
from core import cache
from core.cache import Memory
from portal import logs
from portal.middleware import new_request_id

logger = logging.getLogger(__name__)

Start = Callable[[str, list[tuple[str, str]]], Any]
Environ = dict[str, Any]


class Front:
    """A WSGI callable around Django's."""

    def __init__(self, django: Callable[..., Any]) -> None:
        self.django = django
        self.jwks = _path_of("jwks")
        self.shortcuts = {
            _path_of("token"): (fast_path.token, _headers_of(cross_origin("POST")(endpoint("POST")(_issued)))),
            _path_of("introspect"): (fast_path.introspect, _headers_of(endpoint("POST")(_issued))),
        }
        names = ("token", "introspect", "revoke", "userinfo", "authorize", "jwks")
        self.seconds = {_path_of(name): metrics.instruments().seconds.labels(name) for name in names}
        self.other = metrics.instruments().seconds.labels("other")

    def __call__(self, environ: Environ, start_response: Start) -> Any:
        begun = time.perf_counter()
        seconds = self.seconds.get(environ["PATH_INFO"], self.other)
        if "HTTP_TRANSFER_ENCODING" in environ:
            _measure(environ)
        answer = None
        if environ["PATH_INFO"] in self.shortcuts and environ["REQUEST_METHOD"] == "POST":
            answer = self.shortcut(environ, start_response)
        elif environ["PATH_INFO"] == self.jwks and environ["REQUEST_METHOD"] == "GET":
            answer = self.document(environ, start_response)
        if answer is None:
            answer = self.django(environ, start_response)
        metrics.took(seconds, time.perf_counter() - begun)
        return answer

    def shortcut(self, environ: Environ, start_response: Start) -> list[bytes] | None:
        """Answer, or return None and leave the request as it was."""
        way, headers = self.shortcuts[environ["PATH_INFO"]]
        length = environ.get("CONTENT_LENGTH", "")
        if (
            environ.get("CONTENT_TYPE") != FORM
            or not (length.isdecimal() and 0 < int(length) <= fast_path.LONGEST)
            or not fast_path.is_plain(environ)
            or not _comes_in(environ)
        ):
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        request_id = new_request_id()
        reset = logs.current_request.set(request_id)
        try:
            answer = way(environ, body)
        except OAuth2Error:
            return None
        except Exception:  # the ordinary way may do better, or say in its own words why not
            logger.warning("a shortcut failed", exc_info=True)
            return None
        finally:
            logs.current_request.reset(reset)
        if answer is None:
            return None
        start_response("200 OK", [*headers, ("X-Request-Id", request_id), ("Content-Length", str(len(answer)))])
        return [answer]

    def document(self, environ: Environ, start_response: Start) -> list[bytes] | None:
        """Answer with the list of keys as Django last gave it; None for a request that may want it otherwise."""
        if not fast_path.is_plain(environ) or not environ.keys().isdisjoint(CONDITIONS) or not _comes_in(environ):
            return None
        known = _documents.recall(environ["PATH_INFO"])
        if known is None or known.until <= time.monotonic():
            known = self.ask_django(environ)
        start_response(known.status, [*known.headers, ("X-Request-Id", new_request_id())])
        return [known.body]

    def ask_django(self, environ: Environ) -> "Document":
        asked_at, begun = cache.news(), time.monotonic()
        started: list[tuple[str, list[tuple[str, str]]]] = []
        response = self.django(environ, lambda status, headers: started.append((status, headers)))
        try:
            (status, given) = started[0]
            headers = [(name, value) for name, value in given if name != "X-Request-Id"]
            document = Document(status, headers, b"".join(response), begun + DOCUMENT_SECONDS)
        finally:
            response.close()
        if document.status == "200 OK":
            _documents.remember(environ["PATH_INFO"], document, frozenset(("keys", "catalogue")), asked_at=asked_at)
        return document


def _measure(environ: Environ) -> None:
    """Give a body that comes in chunks the length by which Django reads it (RFC 9112 section 7.1).

    Of one that is longer than any door takes, only so much is read that the door finds it too long.
    """
    body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))


def _path_of(name: str) -> str:
    """Return the path of an endpoint, without the URLs of the pages, which would load the code of every page."""
    return reverse(name, urlconf="authority.urls")


@dataclass(frozen=True, slots=True)
class Document:
    """What Django answered to everybody."""

    status: str
    headers: list[tuple[str, str]]  # but for the name of the request
    body: bytes
    until: float  # on time.monotonic(): the end of a retired key is no change that the database tells


CONDITIONS = {"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_ORIGIN", "HTTP_RANGE"}
DOCUMENT_SECONDS = 10.0
_documents: Memory[str, Document] = Memory(4)


# -- What Django's middleware would do --------------------------------------------------------------------------------


def _comes_in(environ: Environ) -> bool:
    """Say whether the middleware lets the request in: over TLS where that is needed, under a name that is ours."""
    if settings.SECURE_SSL_REDIRECT:
        proxied = settings.SECURE_PROXY_SSL_HEADER
        if proxied is None or environ.get(proxied[0]) != proxied[1]:
            return False
    return _is_ours(environ.get("HTTP_HOST"))


@lru_cache(maxsize=64)
def _is_ours(host: str | None) -> bool:
    request = HttpRequest()
    request.META = {"HTTP_HOST": host}
    try:
        return host is not None and bool(request.get_host())
    except DisallowedHost:
        return False


def _issued(request: HttpRequest) -> HttpResponse:
    return HttpResponse(content_type="application/json")


def _headers_of(view: Callable[[HttpRequest], HttpResponse]) -> list[tuple[str, str]]:
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
