"""“Test it now”: a real token request with a secret that is still on the screen."""

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
from django.views.decorators.vary import vary_on_headers

from authority.diagnostics.inspector import claims, error_responses, jwt
from authority.diagnostics.inspector.report import ClaimRow, InspectionReport, Viewer
from authority.endpoints.decorators import FORM_CONTENT_TYPE, View
from authority.endpoints.introspection import introspect
from authority.endpoints.token import token
from authority.tokens import revocation
from clients import secrets
from clients.models import Client
from clients.views.common import get_client, render_secret_once
from clients.vocabulary import AuthMethod, GrantType
from consumers.access import workspace
from consumers.models import Membership, Role
from core import htmx
from core.rate_limits import rate_limited


@dataclass(frozen=True)
class TryResult:
    """The result of a request."""

    milliseconds: int
    report: InspectionReport | None = None  # why it was refused
    rows: list[ClaimRow] = field(default_factory=list)
    parts: list[str] = field(default_factory=list, repr=False)


@workspace(Role.MANAGER)
@require_POST
@vary_on_headers(htmx.TARGET)
@rate_limited("60/h/user")
@sensitive_post_parameters("secret")
@sensitive_variables()
def try_out(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Use the secret that the browser sends, and store it nowhere. Without JavaScript the page is rendered again."""
    client = get_client(membership, client_id)
    text = request.POST.get("secret", "")
    live = secrets.looks_real(text) and next((row for row in client.secrets.live() if row.matches(text)), None)
    if not live:
        messages.error(request, "This secret no longer works, so there is nothing to test. Create a new one.")
        return redirect("clients:secrets", membership.consumer.slug, client.client_id)
    context = {"client": client, "secret": text, "tried": _try(request, client, text, Viewer(membership.consumer))}
    if htmx.is_target(request, "tried"):
        return render(request, "clients/secret_created.html#tried", context)
    return render_secret_once(request, client, live, text, registered=False, context=context)


@sensitive_variables()
def _try(request: HttpRequest, client: Client, secret: str, viewer: Viewer) -> TryResult:
    """Request a token as the client would, and revoke it; without client_credentials only authenticate."""
    service = GrantType.CLIENT_CREDENTIALS in client.grant_types
    form = {"grant_type": GrantType.CLIENT_CREDENTIALS.value} if service else {"token": "none"}
    began = time.perf_counter()
    answer = _call_endpoint(request, client, secret, form, token if service else introspect)
    milliseconds = max(1, round((time.perf_counter() - began) * 1000))
    body: dict[str, Any] = json.loads(answer.content)
    if answer.status_code != 200:
        report = error_responses.explain_error(
            body.get("error", ""), body.get("error_description", ""), str(answer.status_code)
        )
        return TryResult(milliseconds, report)
    if not service:
        return TryResult(milliseconds)
    issued: str = body["access_token"]
    revocation.revoke(issued, client)
    if issued.count(".") != 2:  # opaque: it says nothing by itself
        return TryResult(milliseconds, parts=[issued])
    return TryResult(milliseconds, rows=claims.explain_claims(jwt.read(issued).claims, viewer), parts=issued.split("."))


@sensitive_variables()
def _call_endpoint(request: HttpRequest, client: Client, secret: str, form: dict[str, str], view: View) -> HttpResponse:
    """Call the endpoint as a client would, from the person's address."""
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
        "CONTENT_TYPE": FORM_CONTENT_TYPE,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }
    return view(WSGIRequest(environ))
