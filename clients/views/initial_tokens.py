"""What lets programs register clients in a workspace: initial access tokens, listed, made, shown once, revoked."""

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
from clients.forms.initial_tokens import InitialTokenForm
from clients.models import InitialToken, OpenRegistration
from clients.onboarding.endpoints import endpoints
from clients.views.common import already_done, person
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from consumers.access import workspace
from consumers.audit import Actor
from consumers.forms import explain
from consumers.models import Membership, Role
from core.errors import Refusal
from core.idempotency import AlreadyDone, carry_out_once

KEPT = timedelta(days=30)
SHOWN_ONCE = "Its text was shown once, in the answer to your first click. Lost it? Make a new one."


@workspace(Role.VIEWER)
@require_safe
def index(request: HttpRequest, membership: Membership) -> HttpResponse:
    """List the workspace's tokens: those that work, and those that ended within 30 days."""
    found = membership.consumer.initial_tokens.filter(expires_at__gt=timezone.now() - KEPT)
    context = {
        "tokens": sorted(found, key=lambda token: token.state != "live"),
        "is_open": OpenRegistration.objects.filter(consumer=membership.consumer).exists(),
        "at": endpoints(),
        "here": "clients",
    }
    return render(request, "clients/registration.html", context)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def create(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Make a token. The answer to the POST itself shows it; nothing keeps it for a later page."""
    form = InitialTokenForm(request.POST if request.method == "POST" else None, consumer=membership.consumer)
    if request.method == "POST" and form.is_valid():
        try:
            with carry_out_once(key=form.cleaned_data["key"], user=person(request)) as submission:
                token, text = registration_actions.create_initial_token(
                    consumer=membership.consumer,
                    name=form.cleaned_data["name"],
                    expires_at=form.expires_at,
                    actor=Actor.of(request),
                    **form.limits,
                )
                submission.outcome = reverse("clients:registration", args=[membership.consumer.slug])
        except AlreadyDone as done:
            return already_done(request, done, "This token has been made already.", SHOWN_ONCE)
        except Refusal as refusal:
            explain(form, refusal)
        else:
            context = {"token": token, "text": text, "command": _command(token, text), "here": "clients"}
            return render(request, "clients/initial_token_once.html", context)
    context = {"form": form, "here": "clients"}
    return render(request, "clients/initial_token_new.html", context, status=422 if form.is_bound else 200)


@sensitive_variables()
def _command(token: InitialToken, text: str) -> str:
    """Return a curl command that registers a client of the kind that the token allows."""
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
    """End a token, after a word on what it was used for."""
    token = membership.consumer.initial_tokens.filter(pk=token_id).first()
    if token is None:
        raise Http404
    if request.method != "POST":
        return render(request, "clients/initial_token_revoke.html", {"token": token, "here": "clients"})
    try:
        registration_actions.revoke_initial_token(token=token, actor=Actor.of(request))
    except Refusal as refusal:
        messages.info(request, refusal.description)
    else:
        messages.success(request, f"The token {token} is revoked. Clients that were registered with it stay.")
    return redirect("clients:registration", membership.consumer.slug)
