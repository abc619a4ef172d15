"""A WSGI callable before Django's handler, which answers the commonest requests by authority/endpoints/fast_path.py.

Its responses carry the headers that Django's middleware sets: the middleware is run once, when a process starts, on a
request of our own. Requests that it might refuse or redirect go to it.
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
from django.urls import path, reverse, set_urlconf

from authority.endpoints import fast_path
from authority.endpoints.decorators import FORM_CONTENT_TYPE, endpoint
from authority.protocol.cors import cross_origin
from authority.protocol.errors import OAuth2Error
from authority.telemetry import metrics
from core import cache
from core.cache import NotifiedCache
from portal import logs
from portal.middleware import new_request_id

logger = logging.getLogger(__name__)

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Environ = dict[str, Any]


class FastPath:
    """A WSGI callable around Django's."""

    def __init__(self, django: Callable[..., Any]) -> None:
        self.django = django
        self.jwks = _path_of("jwks")
        self.handlers = {
            _path_of("token"): (
                fast_path.respond_to_token_request,
                _response_headers(cross_origin("POST")(endpoint("POST")(_empty_response))),
            ),
            _path_of("introspect"): (
                fast_path.respond_to_introspection,
                _response_headers(endpoint("POST")(_empty_response)),
            ),
        }
        names = ("token", "introspect", "revoke", "userinfo", "authorize", "jwks")
        self.durations = {_path_of(name): metrics.instruments().seconds.labels(name) for name in names}
        self.other = metrics.instruments().seconds.labels("other")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Any:
        started_at = time.perf_counter()
        duration = self.durations.get(environ["PATH_INFO"], self.other)
        if "HTTP_TRANSFER_ENCODING" in environ:
            _buffer_chunked_body(environ)
        answer = None
        if environ["PATH_INFO"] in self.handlers and environ["REQUEST_METHOD"] == "POST":
            answer = self._respond(environ, start_response)
        elif environ["PATH_INFO"] == self.jwks and environ["REQUEST_METHOD"] == "GET":
            answer = self._respond_with_jwks(environ, start_response)
        if answer is None:
            answer = self.django(environ, start_response)
        metrics.observe_duration(duration, time.perf_counter() - started_at)
        return answer

    def _respond(self, environ: Environ, start_response: StartResponse) -> list[bytes] | None:
        """Answer, or return None and leave the request as it was, for Django."""
        handler, headers = self.handlers[environ["PATH_INFO"]]
        length = environ.get("CONTENT_LENGTH", "")
        if (
            environ.get("CONTENT_TYPE") != FORM_CONTENT_TYPE
            or not (length.isdecimal() and 0 < int(length) <= fast_path.MAX_BODY_LENGTH)
            or not fast_path.is_plain(environ)
            or not _passes_security_middleware(environ)
        ):
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        request_id = new_request_id()
        reset = logs.current_request.set(request_id)
        try:
            answer = handler(environ, body)
        except OAuth2Error:
            return None
        except Exception:  # Django may do better, or answer with its own error
            logger.warning("the fast path failed", exc_info=True)
            return None
        finally:
            logs.current_request.reset(reset)
        if answer is None:
            return None
        start_response("200 OK", [*headers, ("X-Request-Id", request_id), ("Content-Length", str(len(answer)))])
        return [answer]

    def _respond_with_jwks(self, environ: Environ, start_response: StartResponse) -> list[bytes] | None:
        """Answer with the JWKS as Django last gave it; None for a request that may need another response."""
        if (
            not fast_path.is_plain(environ)
            or not environ.keys().isdisjoint(JWKS_SLOW_PATH_HEADERS)
            or not _passes_security_middleware(environ)
        ):
            return None
        cached = _responses.get(environ["PATH_INFO"])
        if cached is None or cached.until <= time.monotonic():
            cached = self._cache_response(environ)
        start_response(cached.status, [*cached.headers, ("X-Request-Id", new_request_id())])
        return [cached.body]

    def _cache_response(self, environ: Environ) -> "CachedResponse":
        generation, asked_at = cache.current_generation(), time.monotonic()
        started: list[tuple[str, list[tuple[str, str]]]] = []
        response = self.django(environ, lambda status, headers: started.append((status, headers)))
        try:
            (status, given) = started[0]
            headers = [(name, value) for name, value in given if name != "X-Request-Id"]
            answer = CachedResponse(status, headers, b"".join(response), asked_at + JWKS_SECONDS)
        finally:
            response.close()
        if answer.status == "200 OK":
            _responses.set(environ["PATH_INFO"], answer, frozenset(("keys", "catalogue")), generation=generation)
        return answer


def _buffer_chunked_body(environ: Environ) -> None:
    """Give a body that comes in chunks the length by which Django reads it (RFC 9112 section 7.1).

    Of one that is longer than any view accepts, only as much is read as makes the view refuse it.
    """
    body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))


def _path_of(name: str) -> str:
    """Return the path of an endpoint, without the URLs of the pages, which would load the code of every page."""
    return reverse(name, urlconf="authority.urls")


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """What Django answered, whoever asks."""

    status: str
    headers: list[tuple[str, str]]  # without X-Request-Id
    body: bytes
    until: float  # on time.monotonic(): no notification tells that a retired key has expired


JWKS_SLOW_PATH_HEADERS = {"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_ORIGIN", "HTTP_RANGE"}
JWKS_SECONDS = 10.0
_responses: NotifiedCache[str, CachedResponse] = NotifiedCache(4)


# -- What Django's middleware would do --------------------------------------------------------------------------------


def _passes_security_middleware(environ: Environ) -> bool:
    """Return whether SecurityMiddleware and ALLOWED_HOSTS let the request pass: over TLS where required, known host."""
    if settings.SECURE_SSL_REDIRECT:
        proxied = settings.SECURE_PROXY_SSL_HEADER
        if proxied is None or environ.get(proxied[0]) != proxied[1]:
            return False
    return _is_allowed_host(environ.get("HTTP_HOST"))


@lru_cache(maxsize=64)
def _is_allowed_host(host: str | None) -> bool:
    request = HttpRequest()
    request.META = {"HTTP_HOST": host}
    try:
        return host is not None and bool(request.get_host())
    except DisallowedHost:
        return False


def _empty_response(request: HttpRequest) -> HttpResponse:
    return HttpResponse(content_type="application/json")


def _response_headers(view: Callable[[HttpRequest], HttpResponse]) -> list[tuple[str, str]]:
    """Return the headers of the view's response after the middleware, without those that differ by response."""
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

    request = WSGIRequest(environ)
    request.urlconf = (path("", view),)  # type: ignore[assignment]  # Django takes patterns too
    handler = WSGIHandler()
    try:
        response = handler.get_response(request)
    finally:
        set_urlconf(None)
    own = {"X-Request-Id", "Content-Length"}
    return [(name, value) for name, value in response.items() if name not in own]
