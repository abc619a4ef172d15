"""Test tokens: listed with who made them and why, made by hand, shown once, revoked."""

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
from authority.forms.test_tokens import TrialForm
from authority.models import TrialToken
from authority.tokens import test_tokens
from clients.models import Client, Scope
from clients.views.common import already_done, find, person
from consumers.access import workspace
from consumers.audit import Actor
from consumers.forms import explain
from consumers.models import Membership, Role
from core.errors import Conflict, Refusal
from core.idempotency import AlreadyDone, carry_out_once
from core.rate_limits import within

PAGE = 25
MOST = 50  # clients to choose from; each has the way here on its own page too


def _able(membership: Membership) -> list[Client]:
    """Return the clients that test tokens can be made for, by name."""
    values = Scope.objects.filter(
        access__consumer=membership.consumer, api__allows_test_tokens=True, api__is_production=False
    ).values_list("value", flat=True)
    mine = Client.objects.of(membership.consumer).filter(disabled_at=None, scopes__overlap=list(values))
    return list(mine[:MOST]) if membership.consumer.test_token_lifetime >= test_tokens.SHORTEST else []


@workspace(Role.VIEWER)
@require_safe
def index(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List the test tokens of the last month, the newest first."""
    made = TrialToken.objects.listed().filter(client__consumer=membership.consumer)
    context = {
        "here": "trials",
        "page": Paginator(made, PAGE).get_page(request.GET.get("page")),
        "able": _able(membership),
        "most": MOST,
    }
    return render(request, "authority/trials.html", context)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@within("60/h/user")
@sensitive_variables("token")
def create(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Make a test token. The answer to the POST itself shows it; nothing keeps it for a later page."""
    client = find(membership, client_id)
    form = TrialForm(request.POST if request.method == "POST" else None, client=client)
    context: dict[str, Any] = {"form": form, "client": client, "here": "trials"}
    if request.method == "POST" and form.is_valid():
        try:
            with carry_out_once(key=form.cleaned_data["key"], user=person(request)) as submission:
                made, token = test_tokens.make(client=client, wanted=form.wanted, actor=Actor.of(request))
                submission.outcome = reverse("tokens:trials", args=[membership.consumer.slug])
        except AlreadyDone as done:
            sentence = "It was shown once, in the answer to your first click. Lost it? Make a new one."
            return already_done(request, done, "This test token has been made already.", sentence)
        except Refusal as refusal:
            explain(form, refusal)
        else:
            return render(request, "authority/trial_once.html", context | _shown(made, token, membership))
    return render(request, "authority/trial_create.html", context, status=422 if form.is_bound else 200)


@sensitive_variables()
def _shown(made: TrialToken, token: str, membership: Membership) -> dict[str, Any]:
    """Return what the page needs to show a token: its parts, its claims in words, and a command."""
    address = next((each for each in made.audience if each.startswith("https://")), "https://api.example.com/")
    return {
        "made": made,
        "token": token,
        "parts": token.split("."),
        "rows": claims.explained(jwt.read(token).content, Viewer(membership.consumer)),
        "command": f"curl '{address.replace("'", '%27')}' \\\n  --header 'Authorization: Bearer {token}'",
    }


@workspace(Role.MANAGER)
@require_POST
def revoke(request: HttpRequest, membership: Membership, jti: str) -> HttpResponse:
    token = TrialToken.objects.select_related("client__consumer").filter(pk=jti).first()
    if token is None or token.client.consumer != membership.consumer:
        raise Http404
    try:
        test_tokens.revoke(token=token, actor=Actor.of(request))
    except Conflict as conflict:
        messages.info(request, conflict.description)
    else:
        messages.success(request, "The test token is revoked. APIs that ask us refuse it from now on.")
    return redirect("tokens:trials", membership.consumer.slug)
