"""A workload's identity: what it says, a token of it to try, and how others come to accept it."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from authority.keys import workload_issuer
from authority.workloads import guides, identity_tokens
from clients.forms.base import Form
from clients.views.common import find
from clients.workloads import LIFESPAN, LONGEST
from consumers.access import require_manager, workspace
from consumers.activity.timeline import when
from consumers.audit import Actor
from consumers.forms import explain
from consumers.models import Membership, Role
from core.errors import Refusal

# What each claim means, in the words of its page.
MEANINGS = {
    "account": "Your workspace’s short name.",
    "project": "What this deployment belongs to.",
    "deployment": "Which deployment it is.",
    "environment_type": "production, preview or development.",
    "iss": "Who vouches for it: this portal’s workload issuer.",
    "sub": "This workload. No other will ever have the same.",
    "aud": "Whom the token is for. Everybody else must refuse it.",
    "iat": "When it was made.",
    "exp": "When it ends.",
    "jti": "This one token.",
}


class IdentityTokenForm(Form):
    audience = forms.ChoiceField(
        label="Whom is it for?",
        error_messages={"invalid_choice": "“%(value)s” is not on this client’s list. Add it in Settings first."},
    )

    def __init__(self, *args: Any, audiences: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["audience"].choices = [(value, value) for value in audiences]  # type: ignore[attr-defined]


def _meaning(claim: str, value: Any) -> str:
    moment = f" {when(datetime.fromtimestamp(value, UTC))}." if claim in ("iat", "exp") else ""
    return MEANINGS[claim] + moment


def _find_workload(membership: Membership, client_id: str) -> Any:
    client = find(membership, client_id)
    if not client.is_workload:
        raise Http404
    return client


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("issued")
def identity(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Show the identity; a manager's POST is answered with a token, which nothing keeps."""
    client = _find_workload(membership, client_id)
    posted = request.method == "POST"
    if posted:
        require_manager(membership)
    form = IdentityTokenForm(request.POST if posted else None, audiences=identity_tokens.audiences(client))
    issued, status = None, 200
    if posted and form.is_valid():
        try:
            issued = identity_tokens.take(
                client=client, audience=form.cleaned_data["audience"], actor=Actor.of(request)
            )
        except Refusal as refusal:
            explain(form, refusal)
    if posted and issued is None:
        status = 422
    context = guides.values(guides.GUIDES["fastify"], client) | {
        "client": client,
        "tab": "identity",
        "here": "clients",
        "form": form,
        "audiences": identity_tokens.audiences(client),
        "discovery_url": workload_issuer.address("workload-discovery"),
        "clouds": guides.CLOUDS,
        "backends": guides.BACKENDS,
        "issued": issued,
        "claims": [(name, str(value), _meaning(name, value)) for name, value in issued.claims.items()]
        if issued
        else [],
        "minutes": client.lifespans.get(LIFESPAN, LONGEST) // 60,
    }
    return render(request, "authority/identity.html", context, status=status)


@workspace(Role.VIEWER)
@require_safe
def guide(request: HttpRequest, membership: Membership, client_id: str, name: str) -> HttpResponse:
    client = _find_workload(membership, client_id)
    if name not in guides.GUIDES:
        raise Http404
    found = guides.GUIDES[name]
    context = guides.values(found, client) | {"client": client, "tab": "identity", "here": "clients"}
    return render(request, found.template, context)
