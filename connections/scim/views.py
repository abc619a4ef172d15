"""The door of SCIM: /scim/v2/{consumer}/…, opened by the token of the consumer's directory alone.

The protocol is loaded by the first request with a token, since few processes are ever asked.
"""

import json
from math import ceil
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from connections.actions.directories import find_directory, record_use
from connections.models import Directory
from consumers.audit import Actor, request_origin
from core import throttling
from core.client_ip import caller_ip
from core.credentials import token_digest
from core.errors import Refusal
from core.rest.errors import InvalidToken, MissingToken, NotFound, TooManyRequests
from core.throttling import FixedWindow

if TYPE_CHECKING:
    from scim2_server.responses import ScimResponse

PER_TOKEN = 500  # requests in a window, in each process: Entra sends 25 a second
WINDOW = 10.0  # seconds
MAX_TOKEN = 200

_requests: FixedWindow[str] = FixedWindow(WINDOW)


@csrf_exempt
def scim(request: HttpRequest, slug: str, path: str = "") -> HttpResponse:
    """Answer a request of the consumer's directory (RFC 7644)."""
    try:
        directory = _authenticate(request, slug)
    except Refusal as refusal:
        return _refused(refusal)
    record_use(directory)
    from scim2_server.requests import ScimRequest

    from connections.scim import service
    from connections.scim.storage import DirectoryStorage

    try:
        body = request.body
    except RequestDataTooBig:
        return _response(service.error(413, f"Send at most {service.MAX_BYTES:,} bytes."))
    except UnreadablePostError:
        return _response(service.error(400, "The body ended before it was complete."))
    actor = Actor(kind="system", id=str(directory.pk), label=directory.name, **request_origin(request))
    asked = ScimRequest(
        method=str(request.method),
        base_url=settings.PUBLIC_URL + reverse("connections:scim", args=[slug]).rstrip("/"),
        path=f"/{path}",
        query=request.GET.dict(),
        headers=dict(request.headers),
        body=body,
    )
    writes = not (request.method in ("GET", "HEAD") or path.endswith(".search"))
    return _response(service.respond(DirectoryStorage(directory, actor, writes=writes), asked))


def _authenticate(request: HttpRequest, slug: str) -> Directory:
    """Return the directory that calls. Raises InvalidToken, NotFound to another consumer's, and TooManyRequests."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise MissingToken("Send the directory's token in the Authorization header: “Bearer cds_…”.")
    key = token_digest(token)
    with throttling.throttle(caller_ip(request), key, InvalidToken, TooManyRequests):
        directory = find_directory(token) if len(token) <= MAX_TOKEN and token.isascii() else None
        if directory is None:
            raise InvalidToken("This token is unknown or was rotated. Ask the people who run the portal for a new one.")
    if _requests.add(key) > PER_TOKEN:
        raise TooManyRequests(ceil(_requests.retry_after(key, PER_TOKEN)))
    if directory.consumer.slug != slug:
        raise NotFound
    return directory


def _refused(refusal: Refusal) -> HttpResponse:
    """Return an error of RFC 7644 section 3.12, without the library: most of these come from strangers."""
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(refusal.status),
        "detail": refusal.description,
    }
    response = _json(body, refusal.status)
    if refusal.status == 401:
        invalid = "" if isinstance(refusal, MissingToken) else ', error="invalid_token"'
        response.headers["WWW-Authenticate"] = f'Bearer realm="SCIM"{invalid}'
    if isinstance(refusal, TooManyRequests):
        response.headers["Retry-After"] = str(refusal.seconds)
    return response


def _response(answer: "ScimResponse") -> HttpResponse:
    response = _json(answer.body, answer.status) if answer.body is not None else HttpResponse(status=answer.status)
    for name, value in answer.headers.items():
        response.headers[name] = value
    if answer.body is None:
        del response.headers["Content-Type"]
    response.headers["Cache-Control"] = "no-store"
    return response


def _json(body: object, status: int) -> HttpResponse:
    response = HttpResponse(json.dumps(body), status=status, content_type="application/scim+json")
    response.headers["Cache-Control"] = "no-store"
    return response
