"""Who is signed in to a client: the tab, and signing out one person or all of them."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from authority.authorization import client_people
from authority.people import at_client
from authority.people.at_client import ACTIVE, Wanted
from clients.models import Client, Scope
from clients.views.common import get_client, render_dialog
from clients.vocabulary import IDENTITY_SCOPES
from consumers.access import workspace
from consumers.audit import Actor
from consumers.models import Membership, Role

SIZE = 25


@workspace(Role.VIEWER)
@require_safe
def people(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """List the people, the latest sign-in first."""
    client = _client(membership, client_id)
    named = _scopes(client)
    given = {name: request.GET.get(name, "").replace("\0", "").strip()[:255] for name in ("q", "scope", "active")}
    wanted = Wanted(
        given["q"],
        given["scope"] if given["scope"] in named else "",
        given["active"] if given["active"] in ACTIVE else "",
    )
    after = request.GET.get("after", "")
    page = at_client.page(client, wanted, after=after, size=SIZE)
    granted = {value for each in page.people for value in each.scopes}
    words = named | dict(Scope.objects.filter(value__in=granted - named.keys()).values_list("value", "name"))
    context = {
        "client": client,
        "tab": "people",
        "here": "clients",
        "people": [(each, _permissions(each.scopes, words)) for each in page.people],
        "next": page.next,
        "is_first": not after,
        "figures": at_client.figures(client),
        "wanted": wanted,
        "scopes": named,
        "times": ACTIVE,
        "searched": _searched(client),
    }
    return render(request, "authority/client_people.html", context)


@workspace(Role.MANAGER)
@require_POST
def end_one(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Sign a person out of the client. Their subject is in the form: it may be an address, which no URL should hold."""
    client = _client(membership, client_id)
    user = at_client.find(client, request.POST.get("subject", "").replace("\0", ""))
    if user is None:
        messages.info(request, "That person is not signed in any more.")
    else:
        client_people.end_sign_ins(client=client, user=user, actor=Actor.of(request))
        messages.success(request, f"One person is signed out of {client}, on all of their devices.")
    return redirect("tokens:people", membership.consumer.slug, client.client_id)


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def end_all(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    client = _client(membership, client_id)
    if request.method != "POST":
        context = {"figures": at_client.figures(client)}
        return render_dialog(request, client, "revoke_people", context)
    client_people.end_all_sign_ins(client=client, actor=Actor.of(request))
    at_client.forget_figures(client)
    messages.success(request, f"Everybody is signed out of {client}.")
    return redirect("tokens:people", membership.consumer.slug, client.client_id)


def _client(membership: Membership, client_id: str) -> Client:
    """Return the client. Raises Http404 for one to which nobody signs in."""
    client: Client = get_client(membership, client_id)
    if not client.signs_in:
        raise Http404
    return client


def _scopes(client: Client) -> dict[str, str]:
    """Return the names of the scopes that people can have granted to the client."""
    of_apis = dict(Scope.objects.filter(value__in=client.scopes).order_by("api", "pk").values_list("value", "name"))
    return of_apis | {value: name for value, (name, _) in IDENTITY_SCOPES.items() if value in client.scopes}


def _permissions(scopes: list[str], named: dict[str, str]) -> list[str]:
    """Return the permissions in words, those of APIs first; who they are is told by what is shown of them."""
    of_apis = [value for value in scopes if value not in IDENTITY_SCOPES]
    return [named.get(value, value) for value in of_apis] or ["Sign-in only"]


def _searched(client: Client) -> str:
    """Say what can be searched for, by what the client may be granted to know."""
    if "profile" in client.scopes:
        return "Name, email or subject" if "email" in client.scopes else "Name or subject"
    return "Email or subject" if "email" in client.scopes else "Subject"
