"""The settings pages of a client: the metadata that most people change, and the rest."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from clients.actions import clients as client_actions
from clients.forms.advanced import AdvancedForm
from clients.forms.clients import SettingsForm
from clients.policy import portal_policy
from clients.views.common import get_client, rebase, render_client
from consumers.access import require_manager, workspace
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Membership, Role
from core.errors import Conflict, Refusal


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Show the metadata that most people change; managers change it."""
    return _edit(request, membership, client_id, "settings")


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def advanced(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Show the rest of the metadata; managers change it."""
    return _edit(request, membership, client_id, "advanced")


PAGES: dict[str, tuple[type[SettingsForm | AdvancedForm], str]] = {
    "settings": (SettingsForm, "Saved. Takes effect with the next token."),
    "advanced": (AdvancedForm, "Saved. Takes effect on the next request."),
}


def _edit(request: HttpRequest, membership: Membership, client_id: str, tab: str) -> HttpResponse:
    """Show or save the form; after a concurrent change, show the differences and save nothing."""
    form_class, saved = PAGES[tab]
    client = get_client(membership, client_id)
    if request.method != "POST":
        return render_client(request, client, tab, {"form": form_class(client=client)})
    require_manager(membership)
    form = form_class(request.POST, client=client)
    if form.is_valid():
        try:
            client_actions.update_client(
                client=client,
                change=form.metadata,
                if_match=[client.revision_at(form.version_time)],
                policy=portal_policy,
                actor=Actor.of(request),
            )
        except Conflict:
            client = get_client(membership, client_id)
            return render_client(request, client, tab, rebase(form, client, form_class(client=client)), status=409)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, saved)
            return redirect(f"clients:{tab}", membership.consumer.slug, client.client_id)
    return render_client(request, client, tab, {"form": form}, status=422)
