"""What answers the commonest requests before Django's handler does, by authority/endpoints/fast_path.py.

What is in memory is answered in the event loop, whatever the threads wait for; the rest in a thread. Responses carry
the headers that Django's middleware sets: the middleware is run once, when a process starts, on a request of our own.
Requests that it might refuse or redirect go to it.
"""

import io
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import path, reverse, set_urlconf
from django.utils.http import parse_header_parameters

from authority.endpoints import fast_path
from authority.endpoints.decorators import FORM_CONTENT_TYPE, endpoint
from authority.protocol.cors import cross_origin
from authority.protocol.errors import OAuth2Error
from authority.telemetry import metrics, request_trace
from core import cache
from core.cache import NotifiedCache
from core.db import outages
from core.db.backend.base import DatabaseWrapper
from core.rest import responses
from portal import health, logs
from portal.access_log import CLIENT_ID, AccessLog
from portal.middleware import REQUEST_ID, new_request_id
from portal.server import gateway
from portal.server.event_loop import Application
from portal.server.messages import Environ, Response, Stream, response_head

logger = logging.getLogger(__name__)


class FastPath(Application):
    """Django, behind what can be answered without it."""

    def __init__(self, django: WSGIHandler, access_log: AccessLog | None = None) -> None:
        self.django = django
        self.access_log = access_log
        self.log = None if access_log is None else partial(_log, access_log)
        self.token, self.jwks, self.alive = _path_of("token"), _path_of("jwks"), "/health/alive"
        self.handlers = {
            self.token: (
                fast_path.respond_to_token_request,
                _head_of(cross_origin("POST")(endpoint("POST")(_empty_response))),
            ),
            _path_of("introspect"): (
                fast_path.respond_to_introspection,
                _head_of(endpoint("POST")(_empty_response)),
            ),
        }
        self.alive_response = _cached(_response_of(health.alive), math.inf)
        self.last_jwks: CachedResponse | None = None
        self.busy: dict[Callable[[HttpRequest], HttpResponse], CachedResponse] = {}
        names = ("token", "introspect", "revoke", "userinfo", "authorize", "jwks")
        self.durations = {_path_of(name): metrics.instruments().seconds.labels(name) for name in names}
        self.other = metrics.instruments().seconds.labels("other")

    def respond_at_once(self, environ: Environ, body: bytes) -> Response | None:
        """Respond with what this process has in memory, or leave the request to a thread."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        started_at = environ[RECEIVED_AT] = time.perf_counter()
        response = None
        if self.access_log is not None:
            request_trace.forget_client()
        if path == self.token and method == "POST":
            response = self._respond_quickly(environ, body, fast_path.respond_from_memory)
        elif path == self.jwks and method == "GET":
            response = self._jwks_from_memory(environ)
        elif path == self.alive and method in ("GET", "HEAD"):
            response = self.alive_response.respond()
        if response is not None:
            metrics.observe_duration(self.durations.get(path, self.other), time.perf_counter() - started_at)
            if self.access_log is not None:
                environ[CLIENT_ID] = request_trace.client_id()
        return response

    def respond(self, environ: Environ, body: bytes) -> Response | Stream:
        database = connections[DEFAULT_DB_ALIAS]
        assert isinstance(database, DatabaseWrapper)
        with database.serving():
            return self._respond(environ, body)

    def _respond(self, environ: Environ, body: bytes) -> Response | Stream:
        request_trace.forget_client()
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path in ANY_HOST:
            environ["HTTP_HOST"] = urlsplit(settings.PUBLIC_URL).netloc
        if environ.get("CONTENT_TYPE", FORM_CONTENT_TYPE) != FORM_CONTENT_TYPE:
            _drop_unreadable_content_type(environ)
        response: Response | Stream | None = None
        if path in self.handlers and method == "POST":
            response = self._respond_quickly(environ, body, self.handlers[path][0])
        elif path == self.jwks and method == "GET":
            response = self._query_jwks(environ)
        if response is None:
            response = gateway.call(self.django, environ, body)
        duration = self.durations.get(path, self.other)
        metrics.observe_duration(duration, time.perf_counter() - environ[RECEIVED_AT])
        environ[CLIENT_ID] = request_trace.client_id()
        return response

    def respond_busy(self, environ: Environ) -> Response:
        if environ["PATH_INFO"] == self.jwks and (known := self._last_jwks()):
            return known.respond()
        metrics.count_response("any", 503, "temporarily_unavailable")
        view = _busy_page if "text/html" in environ.get("HTTP_ACCEPT", "") else _busy
        if view not in self.busy:
            self.busy[view] = _cached(_response_of(view), math.inf)
        return self.busy[view].respond()

    def _respond_quickly(
        self, environ: Environ, body: bytes, handler: Callable[[Environ, bytes], bytes | None]
    ) -> Response | None:
        """Respond, or return None and leave the request as it was, for Django."""
        if (
            environ.get("CONTENT_TYPE") != FORM_CONTENT_TYPE
            or not 0 < len(body) <= fast_path.MAX_BODY_LENGTH
            or not fast_path.is_plain(environ)
            or not _passes_security_middleware(environ)
        ):
            return None
        request_id = environ[REQUEST_ID] = new_request_id()
        reset = logs.current_request.set(request_id)
        try:
            answer = handler(environ, body)
        except OAuth2Error:
            return None
        except Exception as error:  # Django may do better, or answer with its own error
            if not outages.is_outage(error):
                logger.warning("the fast path failed", exc_info=True)
            return None
        finally:
            logs.current_request.reset(reset)
        if answer is None:
            return None
        head = self.handlers[environ["PATH_INFO"]][1]
        own = f"X-Request-Id: {request_id}\r\nContent-Length: {len(answer)}\r\n"
        return Response(head + own.encode(), answer)

    # -- JWKS ---------------------------------------------------------------------------------------------------------

    def _jwks_from_memory(self, environ: Environ) -> Response | None:
        """Respond with the JWKS as Django last gave it; None for a request that may need another response."""
        if not _may_be_cached(environ):
            return None
        cached = _responses.get(self.jwks)
        return cached.respond() if cached is not None and cached.until > time.monotonic() else None

    def _query_jwks(self, environ: Environ) -> Response | None:
        """Have Django make the JWKS. While it cannot, the last one serves: its keys are public."""
        if not _may_be_cached(environ):
            return None
        generation, asked_at = cache.current_generation(), time.monotonic()
        response = gateway.call(self.django, environ, b"")
        assert isinstance(response, Response)
        made = _cached(response, asked_at + JWKS_SECONDS)
        if made.head.startswith(b"200"):
            self.last_jwks = made
            _responses.set(self.jwks, made, frozenset(("keys", "catalogue")), generation=generation)
        elif made.head.startswith(b"503"):
            made = self._last_jwks() or made
        return made.respond()

    def _last_jwks(self) -> "CachedResponse | None":
        """Return the JWKS that Django made last, unless that is too long ago."""
        is_known = self.last_jwks is not None and self.last_jwks.until + STALE_JWKS_SECONDS > time.monotonic()
        return self.last_jwks if is_known else None


def _drop_unreadable_content_type(environ: Environ) -> None:
    """Let the views see no content type where Django would raise before it can answer, so that they refuse the body."""
    try:
        _, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        b"\xff".decode(parameters.get("charset", "utf-8"), "replace")
    except (ValueError, LookupError):
        environ["CONTENT_TYPE"] = ""


def _path_of(name: str) -> str:
    """Return the path of an endpoint, without the URLs of the pages, which would load the code of every page."""
    return reverse(name, urlconf="authority.urls")


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """What Django answered, whoever asks."""

    head: bytes  # without X-Request-Id
    body: bytes
    until: float  # on time.monotonic(): no notification tells that a retired key has expired

    def respond(self) -> Response:
        return Response(b"%bX-Request-Id: %b\r\n" % (self.head, new_request_id().encode()), self.body)


def _cached(response: Response, until: float) -> CachedResponse:
    lines = [line for line in response.head.split(b"\r\n") if not line.startswith(OF_ONE_RESPONSE)]
    return CachedResponse(b"\r\n".join(lines), response.body, until)


def _may_be_cached(environ: Environ) -> bool:
    return (
        fast_path.is_plain(environ)
        and environ.keys().isdisjoint(JWKS_SLOW_PATH_HEADERS)
        and _passes_security_middleware(environ)
    )


def _log(access_log: AccessLog, environ: Environ, head: bytes, sent: int) -> None:
    began = environ.get(RECEIVED_AT)
    access_log.note(environ, head, sent, None if began is None else time.perf_counter() - began)


RECEIVED_AT = "portal.received_at"  # of an environ: when the request was complete, on time.perf_counter()
# What balancers and Prometheus ask a machine by its own address, whatever the portal's is.
ANY_HOST = {"/health/ready", "/metrics", "/version"}
OF_ONE_RESPONSE = (b"X-Request-Id:", b"Expires:", b"Set-Cookie:")
JWKS_SLOW_PATH_HEADERS = {"HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_ORIGIN", "HTTP_RANGE"}
JWKS_SECONDS = 10.0
STALE_JWKS_SECONDS = 300.0  # as long as whoever verifies tokens may cache it
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


def _busy(request: HttpRequest) -> HttpResponse:
    description = "The service is busy. Try again in a few seconds."
    return responses.error("temporarily_unavailable", description, 503, headers=responses.SOON)


def _busy_page(request: HttpRequest) -> HttpResponse:
    context = {"portal_name": settings.PORTAL_NAME, "operator_contact": settings.OPERATOR_CONTACT}
    return HttpResponse(render_to_string("503.html", context), status=503, headers=responses.SOON)


def _run_middleware(view: Callable[[HttpRequest], HttpResponse], method: str) -> HttpResponse:
    """Return the view's response to a plain request, with what the middleware adds."""
    public = urlsplit(settings.PUBLIC_URL)
    name, value = settings.SECURE_PROXY_SSL_HEADER or ("HTTP_X_FORWARDED_PROTO", "https")
    environ = {
        "REQUEST_METHOD": method,
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
    try:
        response = WSGIHandler().get_response(request)
        assert isinstance(response, HttpResponse)
        return response
    finally:
        set_urlconf(None)


def _head_of(view: Callable[[HttpRequest], HttpResponse]) -> bytes:
    """Return the head of the view's response to a POST, without the headers that differ by response."""
    own = {"X-Request-Id", "Content-Length"}
    headers = _run_middleware(view, "POST").items()
    return response_head("200 OK", [(name, value) for name, value in headers if name not in own])


def _response_of(view: Callable[[HttpRequest], HttpResponse]) -> Response:
    """Return the view's response to a GET."""
    response = _run_middleware(view, "GET")
    status = f"{response.status_code} {response.reason_phrase}"
    return Response(response_head(status, list(response.items())), response.content)
