"""How a client proves who it is: by a secret, by a key of its own, or by the identity of its platform."""

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
from clients.forms.authentication import AuthenticationForm, RuleForm
from clients.metadata import ClientMetadata
from clients.models import Client, TrustedIssuer, TrustRule
from clients.onboarding import keypairs
from clients.onboarding.snippets import env_file, signed_snippets, trust_snippets
from clients.policy import portal_policy
from clients.views.common import already_done, find, person, render_client
from clients.vocabulary import AuthMethod
from consumers.access import require_manager, workspace
from consumers.audit import Actor
from consumers.forms import explain
from consumers.models import Membership, Role
from core.errors import Refusal
from core.idempotency import AlreadyDone, carry_out_once, new_key


def find_proving(membership: Membership, client_id: str) -> Any:
    """Return the client, if it proves itself at all. Raises Http404."""
    client = find(membership, client_id)
    if client.is_public:
        raise Http404
    return client


@workspace(Role.VIEWER)
@require_http_methods(["GET", "HEAD", "POST"])
def authentication(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Show how the client proves itself; managers choose another way."""
    client = find_proving(membership, client_id)
    if request.method != "POST":
        return _show(request, client, AuthenticationForm(client=client))
    require_manager(membership)
    form = AuthenticationForm(request.POST, client=client)
    if form.is_valid():
        try:
            _change(request, client, form.metadata(ClientMetadata.of(client)))
        except Refusal as refusal:
            explain(form, refusal)
        else:
            messages.success(request, "Saved. It holds from the next request on.")
            return redirect("clients:authentication", membership.consumer.slug, client.client_id)
    return _show(request, client, form, status=422)


def _change(request: HttpRequest, client: Client, metadata: ClientMetadata) -> Client:
    return client_actions.update_client(
        client=client, metadata=metadata, policy=portal_policy(client.consumer, client), actor=Actor.of(request)
    )


def _show(request: HttpRequest, client: Client, form: AuthenticationForm, status: int = 200) -> HttpResponse:
    rules = list(client.trust_rules.select_related("issuer"))
    context = {
        "form": form,
        "key": new_key(),
        "keys": (client.client_jwks or {}).get("keys", []),
        "signs": client.token_endpoint_auth_method == AuthMethod.PRIVATE_KEY_JWT,
        "rules": [
            (rule, platforms.warnings(rule.issuer.platform, rule.audience, settings.ISSUER, rule.claims))
            for rule in rules
        ],
        "issuers": TrustedIssuer.objects.offered_to(client.consumer),
        "snippets": trust_snippets(client, rules),
    }
    return render_client(request, client, "authentication", context, status)


# -- A key pair made here ---------------------------------------------------------------------------------------------


@workspace(Role.MANAGER)
@require_POST
@sensitive_variables("pair")
def make_key(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Add a new key to the client's; the answer to this POST is the only one that ever holds its private half."""
    client = find_proving(membership, client_id)
    pair = keypairs.make()
    try:
        with carry_out_once(key=request.POST.get("key", "")[:100], user=person(request)) as submission:
            values = ClientMetadata.of(client)
            wanted = values.but(
                token_endpoint_auth_method=AuthMethod.PRIVATE_KEY_JWT,
                jwks=keypairs.added_to(values.jwks, pair),
                jwks_uri="",
                token_endpoint_auth_signing_alg="",
            )
            client = _change(request, client, wanted)
            submission.outcome = client.get_absolute_url() + "authentication/"
    except AlreadyDone as done:
        return already_done(request, done, "The key was made already, and shown once. Lost it? Make a new one.")
    except Refusal as refusal:
        messages.error(request, refusal.description)
        return redirect("clients:authentication", membership.consumer.slug, client.client_id)
    return render_key_once(request, client, pair, registered=False)


@sensitive_variables()
def render_key_once(request: HttpRequest, client: Client, pair: keypairs.KeyPair, *, registered: bool) -> HttpResponse:
    context = {
        "client": client,
        "pair": pair,
        "registered": registered,
        "file": _key_file(client),
        "snippets": signed_snippets(client, pair.kid),
        "here": "clients",
    }
    return render(request, "clients/key_once.html", context)


def _key_file(client: Client) -> str:
    return env_file(client).removesuffix(".env") + ".pem"


@workspace(Role.MANAGER)
@require_POST
@sensitive_post_parameters("private_key")
@sensitive_variables("pair", "body")
def download_key(request: HttpRequest, membership: Membership, client_id: str) -> HttpResponse:
    """Send the private key back as a file; the browser brings it, and we check that it is one of the client's."""
    client = find_proving(membership, client_id)
    pair = keypairs.read(request.POST.get("private_key", "")[:5000])
    if pair is None or pair.public not in (client.client_jwks or {}).get("keys", []):
        messages.error(request, "This key is none of the client’s, so there is nothing to download. Make a new one.")
        return redirect("clients:authentication", membership.consumer.slug, client.client_id)
    if request.POST.get("format") == "jwk":
        body, name, kind = pair.jwk + "\n", _key_file(client).replace(".pem", ".jwk.json"), "application/jwk+json"
    else:
        body, name, kind = pair.pem, _key_file(client), "application/x-pem-file"
    return HttpResponse(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


# -- Rules for its platform's tokens ----------------------------------------------------------------------------------


@workspace(Role.MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def add_rule(request: HttpRequest, membership: Membership, client_id: str, issuer_id: int) -> HttpResponse:
    """Make a rule for an issuer. One that others could meet too is shown with its warnings before it is saved."""
    client = find_proving(membership, client_id)
    issuer = get_object_or_404(TrustedIssuer.objects.offered_to(membership.consumer), pk=issuer_id)
    posted = request.method == "POST"
    form = RuleForm(request.POST if posted else None, issuer=issuer, initial={"audience": settings.ISSUER})
    warned: list[str] = []
    if posted and form.is_valid():
        audience, claims = form.cleaned_data["audience"].strip(), form.all_claims
        warned = platforms.warnings(issuer.platform, audience, settings.ISSUER, claims)
        try:
            if warned and "knowingly" not in request.POST:
                trust_actions.check_rule(client=client, issuer=issuer, audience=audience, claims=claims)
            else:
                with carry_out_once(key=form.cleaned_data["key"], user=person(request)) as submission:
                    trust_actions.add_rule(
                        client=client, issuer=issuer, audience=audience, claims=claims, actor=Actor.of(request)
                    )
                    submission.outcome = client.get_absolute_url() + "authentication/"
                messages.success(request, _now_that_it_is_made(client, issuer))
                return redirect("clients:authentication", membership.consumer.slug, client.client_id)
        except AlreadyDone as done:
            return already_done(request, done, "This rule is made already.")
        except Refusal as refusal:
            warned = []
            explain(form, refusal)
    context = {"form": form, "issuer": issuer, "warned": warned, "client": client, "here": "clients"}
    return render(request, "clients/add_rule.html", context, status=422 if posted else 200)


def _now_that_it_is_made(client: Client, issuer: TrustedIssuer) -> str:
    if client.is_federated:
        return f"The rule is in force. Tokens of {issuer} that meet it are {client}."
    return f"The rule is ready, and nothing has changed yet. It counts once {client} uses the identity of its platform."


@workspace(Role.MANAGER)
@require_POST
def remove_rule(request: HttpRequest, membership: Membership, client_id: str, rule_id: Any) -> HttpResponse:
    client = find_proving(membership, client_id)
    rule = get_object_or_404(TrustRule.objects.select_related("client__consumer", "issuer"), client=client, pk=rule_id)
    trust_actions.remove_rule(rule=rule, actor=Actor.of(request))
    messages.success(request, f"The rule is removed. Tokens of {rule.issuer} that met it are refused from now on.")
    return redirect("clients:authentication", membership.consumer.slug, client.client_id)
