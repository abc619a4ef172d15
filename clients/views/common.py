"""Helpers of the client pages."""

from typing import Any, cast

from django.contrib import messages
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.debug import sensitive_variables

from clients.forms.versioned import VersionedForm
from clients.models import ACCESS_TOKEN_LIFETIME, Client, ClientSecret
from clients.onboarding.snippets import snippets
from clients.queries import with_state
from consumers.models import Event, Membership, User
from core import htmx
from core.idempotency import AlreadySubmitted


def get_client(membership: Membership, client_id: str) -> Any:
    """Return the consumer's client with its state. Raises Http404."""
    clients = Client.objects.of(membership.consumer).select_related("consumer", "self_registration")
    client = with_state(clients.filter(client_id=client_id)).first()
    if client is None:
        raise Http404
    return client


def client_events(client: Client) -> QuerySet[Event]:
    """Return the client's events, the latest first."""
    return Event.objects.filter(consumer=client.consumer, target_kind="client", target_id=str(client.pk))


def rebase(form: VersionedForm, client: Client, saved: VersionedForm) -> dict[str, Any]:
    """Let the form overwrite the client as it is now, and return what to show of what was saved meanwhile."""
    form.rebase(client)
    editor = client_events(client).filter(at__gte=form.version_time).first()
    return {"form": form, "differences": form.differences(saved), "editor": editor}


def request_user(request: HttpRequest) -> User:
    return cast(User, request.user)


def render_client(
    request: HttpRequest, client: Client, tab: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Render one of the client's tabs."""
    context |= {"client": client, "tab": tab, "here": "clients"}
    return render(request, f"clients/{tab}.html", context, status=status)


def render_dialog(
    request: HttpRequest, client: Client, name: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Render an action's page, or its form alone for the dialog of another page."""
    in_dialog = htmx.is_target(request, htmx.DIALOG)
    template = f"clients/{name}.html#dialog" if in_dialog else f"clients/{name}.html"
    context |= {"client": client, "here": "clients", "in_dialog": in_dialog}
    response = render(request, template, context, status=status)
    patch_vary_headers(response, [htmx.TARGET])
    return response


@sensitive_variables()
def render_secret_once(
    request: HttpRequest,
    client: Client,
    secret: ClientSecret,
    text: str,
    *,
    registered: bool,
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Show a new secret; only this response holds it, and the same page with the result of a test."""
    context = (context or {}) | {
        "client": client,
        "made": secret,
        "secret": text,
        "registered": registered,
        "snippets": snippets(client, text),
        "here": "clients",
    }
    return render(request, "clients/secret_created.html", context)


SHOWN_ONCE = "Its secret was shown once, in the response to your first click. Lost it? Create a new one."


def already_done(request: HttpRequest, done: AlreadySubmitted, *sentences: str) -> HttpResponse:
    """Redirect a form that was submitted again to its outcome."""
    messages.info(request, " ".join(sentences))
    return redirect(done.outcome)


def max_token_minutes(client: Client) -> int:
    """Return for how many minutes an access token that the client has now may still be valid at an API."""
    allowed = client.granted_scopes().aggregate(longest=Max("api__access_token_lifetime"))["longest"]
    own = max((ACCESS_TOKEN_LIFETIME, *client.lifespans.values()))
    return -(-int(min(allowed or own, own)) // 60)
