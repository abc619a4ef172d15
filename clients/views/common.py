"""What the pages of a client share."""

from typing import Any, cast

from django.contrib import messages
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from clients.models import ACCESS_TOKEN_LIFETIME, Client, ClientSecret
from clients.onboarding.snippets import snippets
from clients.queries import with_state
from consumers.models import Event, Membership, User
from core.idempotency import AlreadyDone


def find(membership: Membership, client_id: str) -> Any:
    """Return the workspace's client with its state. Raises Http404."""
    mine = Client.objects.of(membership.consumer).select_related("consumer", "self_registration")
    client = with_state(mine.filter(client_id=client_id)).first()
    if client is None:
        raise Http404
    return client


def client_events(client: Client) -> QuerySet[Event]:
    """Return what people did to the client, the latest first."""
    return Event.objects.filter(consumer=client.consumer, target_kind="client", target_id=str(client.pk))


def person(request: HttpRequest) -> User:
    return cast(User, request.user)


def render_client(
    request: HttpRequest, client: Client, tab: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Show one of the client's tabs."""
    context |= {"client": client, "tab": tab, "here": "clients"}
    return render(request, f"clients/{tab}.html", context, status=status)


def render_sheet(
    request: HttpRequest, client: Client, name: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Show a deed on a page of its own, or its form alone where a page opens it in its dialog."""
    in_dialog = request.headers.get("HX-Target") == "sheet"
    template = f"clients/{name}.html#sheet" if in_dialog else f"clients/{name}.html"
    context |= {"client": client, "here": "clients", "in_dialog": in_dialog}
    return render(request, template, context, status=status)


@sensitive_variables()
def render_once(
    request: HttpRequest,
    client: Client,
    made: ClientSecret,
    text: str,
    *,
    registered: bool,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show a new secret: the only answer that ever holds it, but for the same page with what came of testing it."""
    context = (context or {}) | {
        "client": client,
        "made": made,
        "secret": text,
        "registered": registered,
        "snippets": snippets(client, text),
        "here": "clients",
    }
    return render(request, "clients/once.html", context)


SHOWN_ONCE = "Its secret was shown once, in the answer to your first click. Lost it? Make a new one."


def already_done(request: HttpRequest, done: AlreadyDone, *sentences: str) -> HttpResponse:
    """Answer a form that was sent again."""
    messages.info(request, " ".join(sentences))
    return redirect(done.outcome)


def longest_token(client: Client) -> int:
    """Return how many minutes a token that the client holds now may still work at an API."""
    longest = client.granted_scopes().aggregate(longest=Max("api__access_token_lifetime"))["longest"]
    wanted = [ACCESS_TOKEN_LIFETIME, *client.lifespans.values()]
    return -(-int(min(longest or max(wanted), max(wanted))) // 60)
