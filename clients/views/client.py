"""The pages of a client: connect and activity tabs, disable, enable, revoke tokens, delete."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clients.actions import clients as client_actions
from clients.forms.clients import DeleteForm
from clients.onboarding.endpoints import endpoints
from clients.onboarding.snippets import env_file, snippets
from clients.views.common import client_events, get_client, max_token_minutes, render_client, render_dialog
from clients.vocabulary import IDENTITY_SCOPES
from consumers.access import workspace
from consumers.activity import timeline
from consumers.audit import Actor
from consumers.models import Membership, Role

PAGE_SIZE = 50


@workspace(Role.VIEWER)
@require_safe
def detail(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Show what a program needs to connect, except the secret."""
    client = get_client(membership, client_id)
    context = {
        "at": endpoints(),
        "snippets": snippets(client),
        "env_file": env_file(client),
        "audiences": list(client.granted_scopes().values_list("api__identifier", flat=True).order_by().distinct()),
        "granted": list(client.granted_scopes()),
        "identity": [value for value in client.scopes if value in IDENTITY_SCOPES],
    }
    return render_client(request, client, "connect", context)


@workspace(Role.VIEWER)
@require_safe
def activity(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """List the client's events, the latest first."""
    client = get_client(membership, client_id)
    events = client_events(client)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        events = events.filter(pk__lt=int(before))
    page = list(events[: PAGE_SIZE + 1])
    entries = timeline.describe_all(page[:PAGE_SIZE], membership.consumer)
    older = page[PAGE_SIZE - 1].pk if len(page) > PAGE_SIZE else None
    return render_client(request, client, "activity", {"days": timeline.by_day(entries), "older": older})


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def disable(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    client = get_client(membership, client_id)
    if request.method != "POST":
        return render_dialog(request, client, "disable", {"minutes": max_token_minutes(client)})
    client_actions.disable_client(client=client, actor=Actor.of(request))
    messages.success(request, f"{client} is disabled. All its requests are refused until it is enabled.")
    return redirect("clients:settings", membership.consumer.slug, client.client_id)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def revoke_tokens(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    client = get_client(membership, client_id)
    if request.method != "POST":
        return render_dialog(request, client, "revoke_tokens", {"minutes": max_token_minutes(client)})
    client_actions.revoke_tokens(client=client, actor=Actor.of(request))
    messages.success(request, f"All tokens of {client} are revoked. It can get new ones.")
    return redirect("clients:settings", membership.consumer.slug, client.client_id)


@workspace(Role.MANAGER)
@require_POST
def enable(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    client = get_client(membership, client_id)
    client_actions.enable_client(client=client, actor=Actor.of(request))
    messages.success(request, f"{client} is enabled. Its secrets and permissions work as before.")
    return redirect("clients:settings", membership.consumer.slug, client.client_id)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Delete the client after the manager has entered its name."""
    client = get_client(membership, client_id)
    form = DeleteForm(request.POST if request.method == "POST" else None, client=client)
    if request.method == "POST" and form.is_valid():
        client_actions.delete_client(client=client, actor=Actor.of(request))
        messages.success(request, f"{client} is deleted, with its secrets and tokens. Its activity is kept.")
        return redirect("clients:index", membership.consumer.slug)
    context = {"form": form, "minutes": max_token_minutes(client)}
    return render_dialog(request, client, "delete", context, status=422 if form.is_bound else 200)
