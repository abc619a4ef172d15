"""Registering a client, and its credentials as a file while its secret is on the screen."""

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from clients import secrets
from clients.actions.clients import register_client
from clients.forms.clients import NewClientForm
from clients.models import Client
from clients.onboarding import keypairs
from clients.onboarding.endpoints import endpoints
from clients.onboarding.snippets import env_file
from clients.policy import portal_policy
from clients.views.authentication import render_key_once
from clients.views.common import SHOWN_ONCE, already_done, find, person, render_once
from clients.vocabulary import SECRET_METHODS, AuthMethod
from consumers.access import workspace
from consumers.audit import Actor
from consumers.forms import explain
from consumers.models import Membership, Role
from core.errors import Refusal
from core.idempotency import AlreadyDone, carry_out_once


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret", "pair")
def create(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Register a client. The answer to the POST itself shows the secret; nothing keeps it for a later page."""
    consumer = membership.consumer
    if request.method != "POST":
        form = NewClientForm(consumer=consumer, initial={"template": request.GET.get("template", "service")})
        return render(request, "clients/create.html", {"form": form, "here": "clients"})
    form = NewClientForm(request.POST, consumer=consumer)
    if form.is_valid():
        try:
            metadata = form.new_metadata()
            pair = keypairs.make() if metadata.token_endpoint_auth_method == AuthMethod.PRIVATE_KEY_JWT else None
            with carry_out_once(key=form.cleaned_data["key"], user=person(request)) as submission:
                client, secret = register_client(
                    consumer=consumer,
                    metadata=metadata.but(jwks=keypairs.added_to(None, pair)) if pair else metadata,
                    policy=portal_policy(consumer),
                    actor=Actor.of(request),
                )
                submission.outcome = client.get_absolute_url()
        except AlreadyDone as done:
            shown = [SHOWN_ONCE] if metadata.token_endpoint_auth_method in SECRET_METHODS else []
            return already_done(request, done, "This client is registered already.", *shown)
        except Refusal as refusal:
            explain(form, refusal)
        else:
            return _registered(request, client, secret, pair)
    return render(request, "clients/create.html", {"form": form, "here": "clients"}, status=422)


@sensitive_variables()
def _registered(
    request: HttpRequest, client: Client, secret: str | None, pair: keypairs.KeyPair | None
) -> HttpResponse:
    """Show what is shown once, or lead to the page where the next step is."""
    if secret is not None:
        return render_once(request, client, client.secrets.get(), secret, registered=True)
    if pair is not None:
        return render_key_once(request, client, pair, registered=True)
    if client.is_public:
        messages.success(request, f"{client} is registered. It has no secret, because it could not keep one.")
        return redirect(client)
    messages.success(request, f"{client} is registered. Say now which tokens of its platform are its own.")
    return redirect("clients:authentication", client.consumer.slug, client.client_id)


@workspace(Role.MANAGER)
@require_POST
@sensitive_post_parameters("secret")
@sensitive_variables("text", "credentials", "body")
def download(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Send the credentials back as a file; the browser brings the secret, and we check that it is one."""
    client = find(membership, client_id)
    text = request.POST.get("secret", "")
    if not (secrets.looks_real(text) and any(live.matches(text) for live in client.secrets.live())):
        messages.error(request, "This secret works no longer, so there is nothing to download. Make a new one.")
        return redirect("clients:secrets", membership.consumer.slug, client.client_id)
    at, name = endpoints(), env_file(client).removesuffix(".env")
    if request.POST.get("format") == "json":
        credentials = {
            "client_id": client.client_id,
            "client_secret": text,
            "token_endpoint": at.token,
            "issuer": at.issuer,
        }
        body, file, kind = json.dumps(credentials, indent=2) + "\n", f"{name}.json", "application/json"
    else:
        credentials = {"CLIENT_ID": client.client_id, "CLIENT_SECRET": text, "TOKEN_URL": at.token, "ISSUER": at.issuer}
        body = "".join(f"{key}={value}\n" for key, value in credentials.items())
        file, kind = f"{name}.env", "text/plain; charset=utf-8"
    return HttpResponse(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{file}"'})
