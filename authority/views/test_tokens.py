"""Test tokens of a workspace: list, create, revoke."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from authority.diagnostics.inspector import claims, jwt
from authority.diagnostics.inspector.report import Viewer
from authority.forms.test_tokens import TestTokenForm
from authority.models import TestToken
from authority.tokens import test_tokens
from clients.models import Client, Scope
from clients.views.common import already_done, get_client, request_user
from consumers.access import workspace
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Membership, Role
from core.errors import Conflict, Refusal
from core.idempotency import AlreadySubmitted, idempotent
from core.rate_limits import rate_limited

PAGE = 25
MAX_CLIENTS = 50  # clients to choose from; each has the way here on its own page too


def _eligible_clients(membership: Membership) -> list[Client]:
    """Return the clients that test tokens can be created for, by name."""
    granted = Scope.objects.granted_to(membership.consumer)
    values = granted.filter(api__allows_test_tokens=True, api__is_production=False).values_list("value", flat=True)
    mine = Client.objects.of(membership.consumer).filter(disabled_at=None, scopes__overlap=list(values))
    return list(mine[:MAX_CLIENTS]) if membership.consumer.test_token_lifetime >= test_tokens.MIN_LIFETIME else []


@workspace(Role.VIEWER)
@require_safe
def index(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List the test tokens of the last month, the newest first."""
    made = TestToken.objects.listed().filter(client__consumer=membership.consumer)
    context = {
        "here": "test-tokens",
        "page": Paginator(made, PAGE).get_page(request.GET.get("page")),
        "able": _eligible_clients(membership),
        "most": MAX_CLIENTS,
    }
    return render(request, "authority/test_tokens.html", context)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@rate_limited("60/h/user")
@sensitive_variables("token")
def create(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Create a test token. The response to the POST shows it; it is stored nowhere for a later page."""
    client = get_client(membership, client_id)
    form = TestTokenForm(request.POST if request.method == "POST" else None, client=client)
    context: dict[str, Any] = {"form": form, "client": client, "here": "test-tokens"}
    if request.method == "POST" and form.is_valid():
        try:
            with idempotent(key=form.cleaned_data["key"], user=request_user(request)) as submission:
                made, token = test_tokens.create(client=client, requested=form.requested, actor=Actor.of(request))
                submission.outcome = reverse("tokens:test-tokens", args=[membership.consumer.slug])
        except AlreadySubmitted as done:
            sentence = "It was shown once, in the response to your first click. Lost it? Create a new one."
            return already_done(request, done, "This test token has already been created.", sentence)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            context |= _once_context(made, token, membership)
            return render(request, "authority/test_token_created.html", context)
    return render(request, "authority/test_token_create.html", context, status=422 if form.is_bound else 200)


@sensitive_variables()
def _once_context(made: TestToken, token: str, membership: Membership) -> dict[str, Any]:
    """Return the context to show a token: its parts, its claims explained, and a command."""
    address = next((each for each in made.audience if each.startswith("https://")), "https://api.example.com/")
    return {
        "made": made,
        "token": token,
        "parts": token.split("."),
        "rows": claims.explain_claims(jwt.read(token).claims, Viewer(membership.consumer)),
        "command": f"curl '{address.replace("'", '%27')}' \\\n  --header 'Authorization: Bearer {token}'",
    }


@workspace(Role.MANAGER)
@require_POST
def revoke(request: HttpRequest, membership: Membership, jti: str) -> HttpResponse:
    token = TestToken.objects.select_related("client__consumer").filter(pk=jti).first()
    if token is None or token.client.consumer != membership.consumer:
        raise Http404
    try:
        test_tokens.revoke(token=token, actor=Actor.of(request))
    except Conflict as conflict:
        messages.info(request, conflict.description)
    else:
        messages.success(request, "The test token is revoked. APIs that introspect tokens refuse it from now on.")
    return redirect("tokens:test-tokens", membership.consumer.slug)
