"""The secrets pages of a client: list, add, rotate, revoke."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from clients import secret_review
from clients.actions import registration as registration_actions
from clients.actions import secrets as secret_actions
from clients.forms.secrets import RotateForm, SecretForm
from clients.models import MAX_LIVE_SECRETS, Client, ClientSecret
from clients.views.common import (
    SHOWN_ONCE,
    already_done,
    get_client,
    max_token_minutes,
    render_client,
    render_dialog,
    render_secret_once,
    request_user,
)
from clients.vocabulary import SecretState
from consumers.access import workspace
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Membership, Role
from core.errors import Refusal
from core.idempotency import AlreadySubmitted, idempotent


def _find_secret(client: Client, secret_id: UUID) -> ClientSecret:
    """Return a secret of the client. Raises Http404."""
    secret = ClientSecret.objects.filter(client=client, pk=secret_id).first()
    if secret is None:
        raise Http404
    return secret


def _secrets_url(membership: Membership, client: Client) -> str:
    return reverse("clients:secrets", args=[membership.consumer.slug, client.client_id])


@workspace(Role.VIEWER)
@require_safe
def secrets(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """List the secrets; nothing shows their texts."""
    client = get_client(membership, client_id)
    listed = list(client.secrets.listed().select_related("expires_after_use_of"))
    order = list(SecretState)
    context = {
        "secrets": sorted(listed, key=lambda secret: order.index(secret.state)),
        "ending": [secret for secret in listed if secret.ends_soon or secret.state == SecretState.ROTATING],
        "full": client.live_secrets >= MAX_LIVE_SECRETS,
        "most": MAX_LIVE_SECRETS,
        "guess": secret_review.guess_platform(client, listed),
    }
    return render_client(request, client, "secrets", context)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def create_secret(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Create a secret. Only the response to the POST holds it."""
    client = get_client(membership, client_id)
    form = SecretForm(request.POST if request.method == "POST" else None, longest=membership.consumer.secret_days)
    if request.method == "POST" and form.is_valid():
        try:
            with idempotent(key=form.cleaned_data["key"], user=request_user(request)) as submission:
                new, text = secret_actions.create_secret(
                    client=client,
                    name=form.cleaned_data["name"],
                    expires_at=form.expires_at,
                    actor=Actor.of(request),
                )
                submission.outcome = _secrets_url(membership, client)
        except AlreadySubmitted as done:
            return already_done(request, done, "This secret has already been created.", SHOWN_ONCE)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            return render_secret_once(request, client, new, text, registered=False)
    context = {"form": form, "full": client.live_secrets >= MAX_LIVE_SECRETS, "most": MAX_LIVE_SECRETS}
    return render_dialog(request, client, "create_secret", context, status=422 if form.is_bound else 200)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("text")
def rotate(request: HttpRequest, membership: Membership, client_id: str, secret_id: UUID) -> HttpResponse:
    """Rotate a secret; the manager chooses when the old one ends."""
    client = get_client(membership, client_id)
    old = _find_secret(client, secret_id)
    full = client.live_secrets >= MAX_LIVE_SECRETS
    form = RotateForm(
        request.POST if request.method == "POST" else None, only_at_once=full, longest=membership.consumer.secret_days
    )
    if request.method == "POST" and form.is_valid():
        try:
            with idempotent(key=form.cleaned_data["key"], user=request_user(request)) as submission:
                new, text = secret_actions.rotate_secret(
                    secret=old, end=form.end, expires_at=form.expires_at, actor=Actor.of(request)
                )
                submission.outcome = _secrets_url(membership, client)
        except AlreadySubmitted as done:
            return already_done(request, done, f"The secret {old} has already been rotated.", SHOWN_ONCE)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            return render_secret_once(request, client, new, text, registered=False)
    context = {"form": form, "secret": old, "full": full, "most": MAX_LIVE_SECRETS}
    return render_dialog(request, client, "rotate", context, status=422 if form.is_bound else 200)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, membership: Membership, client_id: str, secret_id: UUID) -> HttpResponse:
    """Revoke a secret, after a page that says when it was last used."""
    client = get_client(membership, client_id)
    secret = _find_secret(client, secret_id)
    if request.method != "POST":
        return render_dialog(request, client, "revoke", {"secret": secret, "minutes": max_token_minutes(client)})
    try:
        secret_actions.revoke_secret(secret=secret, actor=Actor.of(request))
    except Refusal as refusal:
        messages.info(request, refusal.description)
    else:
        messages.success(request, f"The secret {secret} is revoked. Requests that still use it will fail.")
    return redirect("clients:secrets", membership.consumer.slug, client.client_id)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_registration_access_token(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Revoke the token with which a client that registered itself changes itself, after a page that says so."""
    client = get_client(membership, client_id)
    if request.method != "POST":
        return render_dialog(request, client, "revoke_registration_access_token", {})
    try:
        registration_actions.revoke_registration_access_token(client=client, actor=Actor.of(request))
    except Refusal as refusal:
        messages.info(request, refusal.description)
    else:
        messages.success(request, f"{client} can no longer change itself.")
    return redirect(client)
