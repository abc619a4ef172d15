"""What is registered of a client, and changing it: what most people change, and the rest."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from clients.actions import clients as client_actions
from clients.forms.advanced import AdvancedForm
from clients.forms.clients import SettingsForm
from clients.metadata import ClientMetadata
from clients.policy import portal_policy
from clients.views.common import client_events, find, render_client
from consumers.access import require_manager, workspace
from consumers.audit import Actor
from consumers.forms import explain
from consumers.models import Membership, Role
from core.errors import Conflict, Refusal


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Show what is registered; managers change it."""
    return edit(request, membership, client_id, "settings")


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def advanced(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Show the rest of what is registered; managers change it."""
    return edit(request, membership, client_id, "advanced")


PAGES: dict[str, tuple[type[SettingsForm | AdvancedForm], str]] = {
    "settings": (SettingsForm, "Saved. New permissions are in the next token."),
    "advanced": (AdvancedForm, "Saved. It holds from the next request on."),
}


def edit(request: HttpRequest, membership: Membership, client_id: str, tab: str) -> HttpResponse:
    """Show the form, or carry it out; where somebody else saved meanwhile, show both and save nothing."""
    kind, done = PAGES[tab]
    client = find(membership, client_id)
    if request.method != "POST":
        return render_client(request, client, tab, {"form": kind(client=client)})
    require_manager(membership)
    form = kind(request.POST, client=client)
    if form.is_valid():
        try:
            client_actions.update_client(
                client=client,
                metadata=form.metadata(ClientMetadata.of(client)),
                policy=portal_policy(membership.consumer, client),
                actor=Actor.of(request),
                unchanged_since=form.seen,
            )
        except Conflict:
            client = find(membership, client_id)
            form.overwrite(client)
            context = {
                "form": form,
                "differences": form.differences(kind(client=client)),
                "editor": client_events(client).filter(at__gte=form.seen).first(),
            }
            return render_client(request, client, tab, context, status=409)
        except Refusal as refusal:
            explain(form, refusal)
        else:
            messages.success(request, done)
            return redirect(f"clients:{tab}", membership.consumer.slug, client.client_id)
    return render_client(request, client, tab, {"form": form}, status=422)
