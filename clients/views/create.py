"""The page that registers a client, and the download of its credentials."""

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from clients import secrets
from clients.actions.clients import register_client, register_client_with_key
from clients.forms.clients import NewClientForm
from clients.models import Client
from clients.onboarding import keypairs
from clients.onboarding.endpoints import endpoints
from clients.onboarding.snippets import env_file
from clients.policy import portal_policy
from clients.views.authentication import render_key_once
from clients.views.common import SHOWN_ONCE, already_done, get_client, render_secret_once, request_user
from clients.vocabulary import SECRET_METHODS, AuthMethod
from consumers.access import workspace
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Membership, Role
from core.errors import Refusal
from core.idempotency import AlreadySubmitted, idempotent


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret", "pair")
def create(request: HttpRequest, membership: Membership) -> HttpResponse:
    """Register a client. Only the response to the POST holds its secret or private key."""
    consumer = membership.consumer
    if request.method != "POST":
        form = NewClientForm(consumer=consumer, initial={"template": request.GET.get("template", "service")})
        return render(request, "clients/create.html", {"form": form, "here": "clients"})
    form = NewClientForm(request.POST, consumer=consumer)
    if form.is_valid():
        try:
            metadata = form.new_metadata()
            actor, secret, pair = Actor.of(request), None, None
            with idempotent(key=form.cleaned_data["key"], user=request_user(request)) as submission:
                if metadata.token_endpoint_auth_method == AuthMethod.PRIVATE_KEY_JWT:
                    client, pair = register_client_with_key(
                        consumer=consumer, metadata=metadata, policy=portal_policy, actor=actor
                    )
                else:
                    client, secret = register_client(
                        consumer=consumer, metadata=metadata, policy=portal_policy, actor=actor
                    )
                submission.outcome = client.get_absolute_url()
        except AlreadySubmitted as done:
            hint = [SHOWN_ONCE] if metadata.token_endpoint_auth_method in SECRET_METHODS else []
            return already_done(request, done, "This client has already been created.", *hint)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            return _registered_response(request, client, secret, pair)
    return render(request, "clients/create.html", {"form": form, "here": "clients"}, status=422)


@sensitive_variables()
def _registered_response(
    request: HttpRequest, client: Client, secret: str | None, pair: keypairs.KeyPair | None
) -> HttpResponse:
    """Show the secret or private key, or redirect to the page of the next step."""
    if secret is not None:
        return render_secret_once(request, client, client.secrets.get(), secret, registered=True)
    if pair is not None:
        return render_key_once(request, client, pair, registered=True)
    if client.is_public:
        messages.success(request, f"{client} is created. It has no secret, because it could not keep one.")
        return redirect(client)
    messages.success(request, f"{client} is created. Now add a federation rule for its platform.")
    return redirect("clients:authentication", client.consumer.slug, client.client_id)


@workspace(Role.MANAGER)
@require_POST
@sensitive_post_parameters("secret")
@sensitive_variables("text", "credentials", "body")
def download(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Return credentials as a file, with the secret that the browser posts, after checking that it is live."""
    client = get_client(membership, client_id)
    text = request.POST.get("secret", "")
    if not (secrets.looks_real(text) and any(live.matches(text) for live in client.secrets.live())):
        messages.error(request, "This secret no longer works, so there is nothing to download. Create a new one.")
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
