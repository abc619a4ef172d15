"""The initial access tokens of a workspace: list, create, revoke."""

import json
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from clients.actions import registration as registration_actions
from clients.forms.initial_access_tokens import InitialAccessTokenForm
from clients.models import InitialAccessToken, OpenRegistration
from clients.onboarding.endpoints import endpoints
from clients.views.common import already_done, request_user
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from consumers.access import workspace
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Membership, Role
from core.errors import Refusal
from core.idempotency import AlreadySubmitted, idempotent

LISTED_FOR = timedelta(days=30)
SHOWN_ONCE = "It was shown once, in the response to your first click. Lost it? Create a new one."


@workspace(Role.VIEWER)
@require_safe
def index(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List the tokens that are live or expired less than LISTED_FOR ago."""
    tokens = membership.consumer.initial_access_tokens.filter(expires_at__gt=timezone.now() - LISTED_FOR)
    context = {
        "tokens": sorted(tokens, key=lambda token: token.state != "active"),
        "is_open": OpenRegistration.objects.filter(consumer=membership.consumer).exists(),
        "at": endpoints(),
        "here": "clients",
    }
    return render(request, "clients/registration.html", context)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def create(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Create a token. Only the response to the POST holds it."""
    form = InitialAccessTokenForm(request.POST if request.method == "POST" else None, consumer=membership.consumer)
    if request.method == "POST" and form.is_valid():
        try:
            with idempotent(key=form.cleaned_data["key"], user=request_user(request)) as submission:
                token, text = registration_actions.create_initial_access_token(
                    consumer=membership.consumer,
                    name=form.cleaned_data["name"],
                    expires_at=form.expires_at,
                    actor=Actor.of(request),
                    **form.limits,
                )
                submission.outcome = reverse("clients:registration", args=[membership.consumer.slug])
        except AlreadySubmitted as done:
            return already_done(request, done, "This token has already been created.", SHOWN_ONCE)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            context = {"token": token, "text": text, "command": _curl_command(token, text), "here": "clients"}
            return render(request, "clients/initial_access_token_created.html", context)
    context = {"form": form, "here": "clients"}
    return render(request, "clients/initial_access_token_create.html", context, status=422 if form.is_bound else 200)


@sensitive_variables()
def _curl_command(token: InitialAccessToken, text: str) -> str:
    """Return a curl command that registers a client within the limits of the token."""
    grants = token.grant_types or [GrantType.CLIENT_CREDENTIALS]
    example: dict[str, object] = {"client_name": token.name, "grant_types": list(grants)}
    if GrantType.AUTHORIZATION_CODE in grants:
        example |= {"redirect_uris": ["http://127.0.0.1/callback"], "application_type": "native"}
    personal = GrantType.CLIENT_CREDENTIALS not in grants
    if personal:
        example |= {"token_endpoint_auth_method": "none"}
    scopes = [value for value in token.scopes if value not in IDENTITY_SCOPES or personal]
    if scopes:
        example |= {"scope": " ".join(scopes)}
    lines = [f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in example.items()]
    document = "{\n" + ",\n".join(lines) + "\n}"
    context = {"url": endpoints().registration, "token": text, "document": document}
    return render_to_string("clients/snippets/register.curl.txt", context).strip()


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, membership: Membership, token_id: UUID) -> HttpResponse:
    """Revoke a token, after a page that says what it was used for."""
    token = membership.consumer.initial_access_tokens.filter(pk=token_id).first()
    if token is None:
        raise Http404
    if request.method != "POST":
        return render(request, "clients/initial_access_token_revoke.html", {"token": token, "here": "clients"})
    try:
        registration_actions.revoke_initial_access_token(token=token, actor=Actor.of(request))
    except Refusal as refusal:
        messages.info(request, refusal.description)
    else:
        messages.success(request, f"The token {token} is revoked. Clients that were registered with it are kept.")
    return redirect("clients:registration", membership.consumer.slug)
