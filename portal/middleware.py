"""Middleware: second attempts, request IDs, cache and policy headers, redirects in dialogs."""

import copy
import os
from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseRedirectBase
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from core import htmx
from core.db.backend.base import DatabaseWrapper
from portal import logs

# Where the fast path leaves the ID in the environ of a request that it hands on: no header's name has a point.
REQUEST_ID = "clientdesk.request_id"

GetResponse = Callable[[HttpRequest], HttpResponse]


def new_request_id() -> str:
    return f"req_{os.urandom(8).hex()}"


def repeat_victims(get_response: GetResponse) -> GetResponse:
    """Repeat a request once that PostgreSQL ended to break a deadlock, where it has written nothing before."""

    def middleware(request: HttpRequest) -> HttpResponse:
        database = connections[DEFAULT_DB_ALIAS]
        assert isinstance(database, DatabaseWrapper)
        database.begin_attempt()
        try:
            request.body  # noqa: B018  # so that the copy has it too
        except (RequestDataTooBig, UnreadablePostError):  # the view's to refuse
            return get_response(request)
        as_it_came = copy.copy(request)
        response = get_response(request)
        if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE or not database.may_repeat:
            return response
        database.begin_attempt()
        return get_response(as_it_came)

    return middleware


def request_id(get_response: GetResponse) -> GetResponse:
    """Name each request, so that a person can quote it and an operator find it in the log."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.id = request.META.get(REQUEST_ID) or new_request_id()  # type: ignore[attr-defined]
        token = logs.current_request.set(request.id)  # type: ignore[attr-defined]
        try:
            response = get_response(request)
        finally:
            logs.current_request.reset(token)
        response.headers["X-Request-Id"] = request.id  # type: ignore[attr-defined]
        return response

    return middleware


def private_pages(get_response: GetResponse) -> GetResponse:
    """Keep whatever a signed-in person sees, or a cookie decides, out of every cache (ASVS 5.0, 14.3.2).

    Also fences the page against other origins and features that no page of ours uses.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
            patch_vary_headers(response, ["Cookie"])
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault(
            "Permissions-Policy",
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-get=(self), "
            "publickey-credentials-create=(self)",
        )
        return response

    return middleware


def dialogs(get_response: GetResponse) -> GetResponse:
    """Lead the whole page to where a redirect points: htmx would follow it unseen, and show that page in the dialog."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not isinstance(response, HttpResponseRedirectBase) or "Location" not in response:
            return response
        if htmx.is_target(request, htmx.DIALOG):
            redirect = HttpResponseClientRedirect(response["Location"])
            for name, value in response.items():
                if name not in _OF_REDIRECTS:
                    redirect.headers[name] = value
            redirect.cookies = response.cookies
            response = redirect
        patch_vary_headers(response, [htmx.TARGET])
        return response

    return middleware


_OF_REDIRECTS = {"Location", "Content-Type", "Content-Length"}
