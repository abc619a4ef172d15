"""The authentication pages of a client: its method, its keys, and its trust rules."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from clients.actions import clients as client_actions
from clients.actions import trust as trust_actions
from clients.federation import platforms
from clients.forms.authentication import AuthenticationForm, TrustRuleForm
from clients.metadata import ClientMetadata
from clients.models import Client, TrustedIssuer, TrustRule
from clients.onboarding import keypairs
from clients.onboarding.snippets import env_file, signed_snippets, trust_snippets
from clients.policy import portal_policy
from clients.views.common import already_done, get_client, rebase, render_client, request_user
from clients.vocabulary import AuthMethod
from consumers.access import require_manager, workspace
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Membership, Role
from core.errors import Conflict, Refusal
from core.idempotency import AlreadySubmitted, idempotent, new_idempotency_key


def get_confidential_client(membership: Membership, client_id: str) -> Any:
    """Return the client if it is confidential. Raises Http404."""
    client = get_client(membership, client_id)
    if client.is_public:
        raise Http404
    return client


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def authentication(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Show the client's authentication method; managers change it."""
    client = get_confidential_client(membership, client_id)
    if request.method != "POST":
        return _show(request, client, AuthenticationForm(client=client))
    require_manager(membership)
    form = AuthenticationForm(request.POST, client=client)
    if form.is_valid():
        try:
            _update(request, client, form.metadata, if_match=[client.revision_at(form.version_time)])
        except Conflict:
            client = get_confidential_client(membership, client_id)
            return _show(request, client, **rebase(form, client, AuthenticationForm(client=client)), status=409)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Saved. Takes effect on the next request.")
            return redirect("clients:authentication", membership.consumer.slug, client.client_id)
    return _show(request, client, form, status=422)


def _update(
    request: HttpRequest,
    client: Client,
    change: Callable[[ClientMetadata], ClientMetadata],
    if_match: list[str] | None = None,
) -> Client:
    return client_actions.update_client(
        client=client, change=change, if_match=if_match, policy=portal_policy, actor=Actor.of(request)
    )


def _show(
    request: HttpRequest, client: Client, form: AuthenticationForm, status: int = 200, **conflict: Any
) -> HttpResponse:
    rules = list(client.trust_rules.select_related("issuer"))
    context = conflict | {
        "form": form,
        "key": new_idempotency_key(),
        "keys": (client.client_jwks or {}).get("keys", []),
        "signs": client.token_endpoint_auth_method == AuthMethod.PRIVATE_KEY_JWT,
        "rules": [
            (rule, platforms.rule_warnings(rule.issuer.platform, rule.audience, settings.ISSUER, rule.claims))
            for rule in rules
        ],
        "issuers": TrustedIssuer.objects.offered_to(client.consumer),
        "snippets": trust_snippets(client, rules),
    }
    return render_client(request, client, "authentication", context, status)


# -- Generated key pairs ----------------------------------------------------------------------------------------------


@workspace(Role.MANAGER)
@require_POST
@sensitive_variables("pair")
def generate_key(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Generate a key pair and add its public key to the client; only this response holds the private key."""
    client = get_confidential_client(membership, client_id)
    pair = keypairs.generate()
    try:
        with idempotent(key=request.POST.get("key", "")[:100], user=request_user(request)) as submission:
            client = _update(request, client, partial(_with_key, pair))
            submission.outcome = client.get_absolute_url() + "authentication/"
    except AlreadySubmitted as done:
        return already_done(
            request, done, "The key has already been created, and was shown once. Lost it? Create a new one."
        )
    except Refusal as refusal:
        messages.error(request, refusal.description)
        return redirect("clients:authentication", membership.consumer.slug, client.client_id)
    return render_key_once(request, client, pair, registered=False)


@sensitive_variables("pair")
def _with_key(pair: keypairs.KeyPair, registered: ClientMetadata) -> ClientMetadata:
    return registered.replace(
        token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT,
        jwks=keypairs.with_key(registered.jwks, pair),
        jwks_uri="",
        token_endpoint_auth_signing_alg="",
    )


@sensitive_variables()
def render_key_once(request: HttpRequest, client: Client, pair: keypairs.KeyPair, *, registered: bool) -> HttpResponse:
    """Show the private key of a generated pair."""
    context = {
        "client": client,
        "pair": pair,
        "registered": registered,
        "file": _key_file(client),
        "snippets": signed_snippets(client, pair.kid),
        "here": "clients",
    }
    return render(request, "clients/key_created.html", context)


def _key_file(client: Client) -> str:
    return env_file(client).removesuffix(".env") + ".pem"


@workspace(Role.MANAGER)
@require_POST
@sensitive_post_parameters("private_key")
@sensitive_variables("pair", "body")
def download_key(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Return the private key that the browser posts as a file, after checking that it is one of the client's."""
    client = get_confidential_client(membership, client_id)
    pair = keypairs.from_pem(request.POST.get("private_key", "")[:5000])
    if pair is None or pair.public not in (client.client_jwks or {}).get("keys", []):
        messages.error(request, "This is not a key of the client, so there is nothing to download. Create a new one.")
        return redirect("clients:authentication", membership.consumer.slug, client.client_id)
    if request.POST.get("format") == "jwk":
        body, name, kind = pair.jwk + "\n", _key_file(client).replace(".pem", ".jwk.json"), "application/jwk+json"
    else:
        body, name, kind = pair.pem, _key_file(client), "application/x-pem-file"
    return HttpResponse(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


# -- Trust rules ------------------------------------------------------------------------------------------------------


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def create_rule(request: HttpRequest, membership: Membership, client_id: str, issuer_id: int) -> HttpResponse:
    """Create a trust rule; a rule with warnings is saved after the manager has confirmed them."""
    client = get_confidential_client(membership, client_id)
    issuer = get_object_or_404(TrustedIssuer.objects.offered_to(membership.consumer), pk=issuer_id)
    posted = request.method == "POST"
    form = TrustRuleForm(request.POST if posted else None, issuer=issuer, initial={"audience": settings.ISSUER})
    warned: list[str] = []
    if posted and form.is_valid():
        audience, claims = form.cleaned_data["audience"].strip(), form.all_claims
        warned = platforms.rule_warnings(issuer.platform, audience, settings.ISSUER, claims)
        try:
            if warned and "knowingly" not in request.POST:
                trust_actions.check_rule(client=client, issuer=issuer, audience=audience, claims=claims)
            else:
                with idempotent(key=form.cleaned_data["key"], user=request_user(request)) as submission:
                    trust_actions.create_rule(
                        client=client, issuer=issuer, audience=audience, claims=claims, actor=Actor.of(request)
                    )
                    submission.outcome = client.get_absolute_url() + "authentication/"
                messages.success(request, _created_message(client, issuer))
                return redirect("clients:authentication", membership.consumer.slug, client.client_id)
        except AlreadySubmitted as done:
            return already_done(request, done, "This rule has already been created.")
        except Refusal as refusal:
            warned = []
            add_refusal(form, refusal)
    context = {"form": form, "issuer": issuer, "warned": warned, "client": client, "here": "clients"}
    return render(request, "clients/create_rule.html", context, status=422 if posted else 200)


def _created_message(client: Client, issuer: TrustedIssuer) -> str:
    if client.is_federated:
        return f"The rule is active. Tokens of {issuer} that match it authenticate {client}."
    return f"The rule is saved. It takes effect once {client} uses workload identity federation."


@workspace(Role.MANAGER)
@require_POST
def delete_rule(request: HttpRequest, membership: Membership, client_id: str, rule_id: Any) -> HttpResponse:
    client = get_confidential_client(membership, client_id)
    rule = get_object_or_404(TrustRule.objects.select_related("client__consumer", "issuer"), client=client, pk=rule_id)
    trust_actions.delete_rule(rule=rule, actor=Actor.of(request))
    messages.success(request, f"The rule is deleted. Tokens of {rule.issuer} that matched it are refused from now on.")
    return redirect("clients:authentication", membership.consumer.slug, client.client_id)
