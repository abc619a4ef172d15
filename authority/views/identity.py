"""A workload's identity: its claims, an identity token on demand, and guides to accept it."""

from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from authority.forms.identity import IdentityTokenForm
from authority.keys import workload_issuer
from authority.workloads import guides, identity_tokens
from clients.views.common import get_client
from clients.workloads import LIFESPAN, MAX_LIFETIME
from consumers.access import require_manager, workspace
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Membership, Role
from core.errors import Refusal
from core.timefmt import date_time

# What each claim means, as the page shows it.
MEANINGS = {
    "account": "Your workspace’s short name.",
    "project": "What this deployment belongs to.",
    "deployment": "Which deployment it is.",
    "environment_type": "production, preview or development.",
    "iss": "This portal’s workload issuer, which signed it.",
    "sub": "This workload. The value is unique, and never reused.",
    "aud": "The audience of the token. Everybody else must refuse it.",
    "iat": "When it was issued.",
    "exp": "When it expires.",
    "jti": "The ID of this token.",
}


def _claim_meaning(claim: str, value: Any) -> str:
    moment = f" {date_time(datetime.fromtimestamp(value, UTC))}." if claim in ("iat", "exp") else ""
    return MEANINGS[claim] + moment


def _find_workload(membership: Membership, client_id: str) -> Any:
    client = get_client(membership, client_id)
    if not client.is_workload:
        raise Http404
    return client


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("issued")
def identity(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Show the identity; a manager's POST is answered with a token, which is stored nowhere."""
    client = _find_workload(membership, client_id)
    posted = request.method == "POST"
    if posted:
        require_manager(membership)
    form = IdentityTokenForm(request.POST if posted else None, audiences=identity_tokens.audiences(client))
    issued, status = None, 200
    if posted and form.is_valid():
        try:
            issued = identity_tokens.issue_to_person(
                client=client, audience=form.cleaned_data["audience"], actor=Actor.of(request)
            )
        except Refusal as refusal:
            add_refusal(form, refusal)
    if posted and issued is None:
        status = 422
    context = guides.template_context(guides.GUIDES["fastify"], client) | {
        "client": client,
        "tab": "identity",
        "here": "clients",
        "form": form,
        "audiences": identity_tokens.audiences(client),
        "discovery_url": workload_issuer.endpoint_url("workload-discovery"),
        "clouds": guides.CLOUDS,
        "backends": guides.BACKENDS,
        "issued": issued,
        "claims": [(name, str(value), _claim_meaning(name, value)) for name, value in issued.claims.items()]
        if issued
        else [],
        "minutes": client.lifespans.get(LIFESPAN, MAX_LIFETIME) // 60,
    }
    return render(request, "authority/identity.html", context, status=status)


@workspace(Role.VIEWER)
@require_safe
def guide(request: HttpRequest, membership: Membership, client_id: str, name: str) -> HttpResponse:
    client = _find_workload(membership, client_id)
    if name not in guides.GUIDES:
        raise Http404
    found = guides.GUIDES[name]
    context = guides.template_context(found, client) | {"client": client, "tab": "identity", "here": "clients"}
    return render(request, found.template, context)
