"""Test it now: a real request with a secret that is still on the screen, through the endpoint that programs call."""

import base64
import json
import time
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.contrib import messages
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from authority.diagnostics.inspector import claims, error_responses, jwt
from authority.diagnostics.inspector.report import Report, Row, Viewer
from authority.endpoints.decorators import FORM, View
from authority.endpoints.introspection import introspect
from authority.endpoints.token import token
from authority.tokens import revocation
from clients import secrets
from clients.models import Client
from clients.views.common import find, render_once
from clients.vocabulary import AuthMethod, GrantType
from consumers.access import workspace
from consumers.models import Membership, Role
from core.rate_limits import within


@dataclass(frozen=True)
class Tried:
    """What came of it."""

    milliseconds: int
    report: Report | None = None  # why it was refused
    rows: list[Row] = field(default_factory=list)
    parts: list[str] = field(default_factory=list, repr=False)


@workspace(Role.MANAGER)
@require_POST
@within("60/h/user")
@sensitive_post_parameters("secret")
@sensitive_variables()
def try_out(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Use the secret that the browser brings, and forget it. Without a script the page comes back with the result."""
    client = find(membership, client_id)
    text = request.POST.get("secret", "")
    live = secrets.looks_real(text) and next((row for row in client.secrets.live() if row.matches(text)), None)
    if not live:
        messages.error(request, "This secret works no longer, so there is nothing to test. Make a new one.")
        return redirect("clients:secrets", membership.consumer.slug, client.client_id)
    context = {"client": client, "secret": text, "tried": _ask(request, client, text, Viewer(membership.consumer))}
    if request.headers.get("HX-Target") == "tried":
        return render(request, "clients/once.html#tried", context)
    return render_once(request, client, live, text, registered=False, context=context)


@sensitive_variables()
def _ask(request: HttpRequest, client: Client, secret: str, viewer: Viewer) -> Tried:
    """Ask for a token as the client would, and revoke it; where a person must take part, only show who is asking."""
    service = GrantType.CLIENT_CREDENTIALS in client.grant_types
    form = {"grant_type": GrantType.CLIENT_CREDENTIALS.value} if service else {"token": "none"}
    began = time.perf_counter()
    answer = _call(request, client, secret, form, token if service else introspect)
    milliseconds = max(1, round((time.perf_counter() - began) * 1000))
    body: dict[str, Any] = json.loads(answer.content)
    if answer.status_code != 200:
        report = error_responses.explained(
            body.get("error", ""), body.get("error_description", ""), str(answer.status_code)
        )
        return Tried(milliseconds, report)
    if not service:
        return Tried(milliseconds)
    issued: str = body["access_token"]
    revocation.revoke(issued, client)
    if issued.count(".") != 2:  # opaque: it says nothing by itself
        return Tried(milliseconds, parts=[issued])
    return Tried(milliseconds, rows=claims.explained(jwt.read(issued).content, viewer), parts=issued.split("."))


@sensitive_variables()
def _call(request: HttpRequest, client: Client, secret: str, form: dict[str, str], view: View) -> HttpResponse:
    """Send the endpoint what a program would send it, from where the person is."""
    environ = {key: value for key, value in request.META.items() if key in ("REMOTE_ADDR", "HTTP_X_FORWARDED_FOR")}
    if client.token_endpoint_auth_method == AuthMethod.BASIC:
        pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"
        environ["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(pair.encode()).decode()
    else:
        form = form | {"client_id": client.client_id, "client_secret": secret}
    body = urlencode(form).encode()
    environ |= {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": reverse(view.__name__),
        "CONTENT_TYPE": FORM,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    return view(WSGIRequest(environ))
