"""The secrets of a client: listed without their texts, added, rotated, revoked."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from clients import secret_review
from clients.actions import secrets as secret_actions
from clients.forms.secrets import RotateForm, SecretForm
from clients.models import MAX_LIVE_SECRETS, Client, ClientSecret
from clients.views.common import (
    SHOWN_ONCE,
    already_done,
    find,
    longest_token,
    person,
    render_client,
    render_once,
    render_sheet,
)
from consumers.access import workspace
from consumers.audit import Actor
from consumers.forms import explain
from consumers.models import Membership, Role
from core.errors import Refusal
from core.idempotency import AlreadyDone, carry_out_once


def _find_secret(client: Client, secret_id: UUID) -> ClientSecret:
    """Return a secret of the client that works. Raises Http404."""
    secret = ClientSecret.objects.filter(client=client, pk=secret_id).first()
    if secret is None:
        raise Http404
    return secret


def _back(membership: Membership, client: Client) -> str:
    return reverse("clients:secrets", args=[membership.consumer.slug, client.client_id])


@workspace(Role.VIEWER)
@require_safe
def secrets(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    client = find(membership, client_id)
    listed = list(client.secrets.listed().select_related("ends_after_use_of"))
    order = {"active": 0, "rotating": 1, "ended": 2}
    context = {
        "secrets": sorted(listed, key=lambda secret: order[secret.state]),
        "ending": [secret for secret in listed if secret.ends_soon or secret.state == "rotating"],
        "full": client.live_secrets >= MAX_LIVE_SECRETS,
        "most": MAX_LIVE_SECRETS,
        "guess": secret_review.guess(client, listed),
    }
    return render_client(request, client, "secrets", context)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def add_secret(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    client = find(membership, client_id)
    form = SecretForm(request.POST if request.method == "POST" else None, longest=membership.consumer.secret_days)
    if request.method == "POST" and form.is_valid():
        try:
            with carry_out_once(key=form.cleaned_data["key"], user=person(request)) as submission:
                made, text = secret_actions.add_secret(
                    client=client,
                    name=form.cleaned_data["name"],
                    expires_at=form.expires_at,
                    actor=Actor.of(request),
                )
                submission.outcome = _back(membership, client)
        except AlreadyDone as done:
            return already_done(request, done, "This secret has been made already.", SHOWN_ONCE)
        except Refusal as refusal:
            explain(form, refusal)
        else:
            return render_once(request, client, made, text, registered=False)
    context = {"form": form, "full": client.live_secrets >= MAX_LIVE_SECRETS, "most": MAX_LIVE_SECRETS}
    return render_sheet(request, client, "add_secret", context, status=422 if form.is_bound else 200)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def rotate(request: HttpRequest, membership: Membership, client_id: str, secret_id: UUID) -> HttpResponse:
    """Make a successor; the old secret gets the end that the person chooses."""
    client = find(membership, client_id)
    old = _find_secret(client, secret_id)
    full = client.live_secrets >= MAX_LIVE_SECRETS
    form = RotateForm(
        request.POST if request.method == "POST" else None, only_at_once=full, longest=membership.consumer.secret_days
    )
    if request.method == "POST" and form.is_valid():
        try:
            with carry_out_once(key=form.cleaned_data["key"], user=person(request)) as submission:
                made, text = secret_actions.rotate_secret(
                    secret=old, end=form.end, expires_at=form.expires_at, actor=Actor.of(request)
                )
                submission.outcome = _back(membership, client)
        except AlreadyDone as done:
            return already_done(request, done, f"The secret {old} has been rotated already.", SHOWN_ONCE)
        except Refusal as refusal:
            explain(form, refusal)
        else:
            return render_once(request, client, made, text, registered=False)
    context = {"form": form, "secret": old, "full": full, "most": MAX_LIVE_SECRETS}
    return render_sheet(request, client, "rotate", context, status=422 if form.is_bound else 200)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, membership: Membership, client_id: str, secret_id: UUID) -> HttpResponse:
    """End a secret now, after a word on who still uses it."""
    client = find(membership, client_id)
    secret = _find_secret(client, secret_id)
    if request.method != "POST":
        return render_sheet(request, client, "revoke", {"secret": secret, "minutes": longest_token(client)})
    try:
        secret_actions.revoke_secret(secret=secret, actor=Actor.of(request))
    except Refusal as refusal:
        messages.info(request, refusal.description)
    else:
        messages.success(request, f"The secret {secret} is revoked. Whatever still uses it is refused from now on.")
    return redirect("clients:secrets", membership.consumer.slug, client.client_id)
