"""A person's own identities: which providers are connected to the account."""

from typing import cast

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from connections.accounts import begun
from connections.actions import identities
from connections.models import Connection, Identity
from connections.relying_party import code_flow
from connections.relying_party.failures import SignInFailed
from connections.views.common import failed, live_connection
from consumers.audit import Actor
from consumers.models import User


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def connect(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask, then lead to the provider; whoever signs in there can sign in here from then on."""
    user = request.user
    assert isinstance(user, User)
    raise_if_reauthentication_required(request, app="connections")
    try:
        connection = live_connection(slug)
        if not Connection.objects.connectable_by(user).filter(pk=connection.pk).exists():
            raise SignInFailed("off")
        if request.method != "POST":
            return render(request, "connections/connect.html", {"connection": connection})
        return code_flow.begin(request, connection, process="connect", data=str(user.pk))
    except SignInFailed as failure:
        return failed(request, slug, failure)


@require_POST
@login_required
def disconnect(request: HttpRequest, identity_id: int) -> HttpResponse:
    """Let a provider open the account no longer."""
    raise_if_reauthentication_required(request, app="connections")
    identity = get_object_or_404(Identity, pk=identity_id, account__user=request.user)
    if Connection.objects.required_of(request.user).filter(pk=identity.connection_id).exists():  # type: ignore[arg-type]
        messages.error(request, f"{identity.connection} is required, so that it stays connected.")
        return redirect("mfa_index")
    begun.forget(request, cast(User, request.user))
    identities.unlink(identity=identity, actor=Actor.of(request), keep=request.session.session_key)
    messages.success(request, f"{identity.connection} is disconnected.")
    return redirect("mfa_index")
