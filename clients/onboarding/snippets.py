"""Code snippets with which a client gets a token, in curl, Python and Node.js.

With the secret they contain the real values; without it they read CLIENT_ID and CLIENT_SECRET from the environment, as
the downloaded .env file sets them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.template.loader import render_to_string

from clients.models import Client, TrustRule
from clients.onboarding.endpoints import endpoints
from clients.vocabulary import IDENTITY_SCOPES, AuthMethod, GrantType

# Platforms with a template of the command that prints a token.
TOKEN_COMMANDS = {"github", "gitlab", "gcp", "aws", "azure", "kubernetes"}
LANGUAGES = {"curl": "curl", "python": "Python", "node": "Node.js"}


@dataclass(frozen=True)
class Snippet:
    language: str
    label: str
    text: str


def snippets(client: Client, secret: str | None = None) -> list[Snippet]:
    """Return the snippets of the client's flow (templates/clients/snippets/); empty where there are none.

    A service uses client_credentials (RFC 6749 section 4.4); other clients sign a user in with PKCE (RFC 7636).
    """
    if client.token_endpoint_auth_method == AuthMethod.PRIVATE_KEY_JWT and _uses_client_credentials(client):
        return signed_snippets(client)
    if client.token_endpoint_auth_method == AuthMethod.FEDERATED and _uses_client_credentials(client):
        return trust_snippets(client, client.trust_rules.select_related("issuer"))
    flow = _flow_of(client)
    at = endpoints()
    granted = set(client.granted_scopes().values_list("value", flat=True)) | set(IDENTITY_SCOPES)
    scope = " ".join(value for value in client.scopes if value in granted)
    redirect_uri = client.redirect_uris[0] if client.redirect_uris else ""
    context = {
        "token_url": at.token,
        "device_url": at.device_authorization,
        "client_id": client.client_id,
        "secret": secret,
        "credentials": f"{client.client_id}:{secret}",
        "public": client.is_public,
        "from_environment": secret is None and not client.is_public,
        "env_file": env_file(client),
        "scope": scope,
        "redirect_uri": redirect_uri,
        # Without state and code_challenge, which are new for each request.
        "authorization_url": f"{at.authorization}?"
        + urlencode(
            {
                "response_type": "code",
                "client_id": client.client_id,
                "redirect_uri": redirect_uri,
                "scope": scope,
                "code_challenge_method": "S256",
            }
        ),
    }
    return [
        Snippet(language, label, render_to_string(f"clients/snippets/{flow}.{language}.txt", context).strip())
        for language, label in LANGUAGES.items()
        if flow
    ]


def _uses_client_credentials(client: Client) -> bool:
    if client.dpop_bound_access_tokens or not client.scopes:  # a snippet creates no DPoP proofs
        return False
    return GrantType.CLIENT_CREDENTIALS in client.grant_types


def _flow_of(client: Client) -> str:
    if client.dpop_bound_access_tokens:  # a snippet creates no DPoP proofs
        return ""
    if not (client.is_public or client.holds_secrets) or (client.is_workload and not client.scopes):
        return ""
    if GrantType.AUTHORIZATION_CODE in client.grant_types:
        return "sign_in"
    if GrantType.DEVICE_CODE in client.grant_types:
        return "device"
    return "service" if GrantType.CLIENT_CREDENTIALS in client.grant_types else ""


def env_file(client: Client) -> str:
    """Return the name of the client's .env file: letters and digits of its name, or its ID."""
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in client.client_name.lower()).split()
    return f"{'-'.join(words)[:40] or client.client_id}.env"


# -- private_key_jwt and workload identity federation -----------------------------------------------------------------


def signed_snippets(client: Client, kid: str = "") -> list[Snippet]:
    """Return snippets that sign an assertion with the private key in a file (RFC 7523 section 2.2)."""
    context = _base_context(client) | _key_context(client, kid)
    return [
        Snippet(language, LANGUAGES[language], _render(f"signed.{language}", context))
        for language in ("node", "python")
    ]


def _key_context(client: Client, kid: str = "") -> dict[str, str]:
    keys = (client.client_jwks or {}).get("keys", [])
    return {
        "key_file": env_file(client).removesuffix(".env") + ".pem",
        "kid": kid or (keys[-1].get("kid") if keys else "") or "",
    }


def assertion_program(client: Client, file: str) -> str:
    """Return a program that prints an assertion signed with the private key in a file."""
    return _render("assertion.python", _base_context(client) | _key_context(client) | {"file": file})


def platform_command(rule: TrustRule | None) -> str:
    """Return the shell command that prints a token of the rule's platform, for the rule's audience."""
    platform = rule.issuer.platform if rule else ""
    name = platform if platform in TOKEN_COMMANDS else "other"
    return _render(f"platform.{name}", {"audience": rule.audience if rule else ""})


def trust_snippets(client: Client, rules: Iterable[TrustRule]) -> list[Snippet]:
    """Return a snippet for each platform for which the client has a rule."""
    result: dict[str, Snippet] = {}
    for rule in rules:
        platform = rule.issuer.platform
        name = platform if platform in ("github", "gitlab", "kubernetes") else "other"
        context = _base_context(client) | {"audience": rule.audience, "claims": rule.claims, "issuer": rule.issuer}
        context["command"] = platform_command(rule)
        label = str(rule.issuer.get_platform_display())
        result.setdefault(platform, Snippet(platform, label, _render(f"trust.{name}", context)))
    return list(result.values())


def _base_context(client: Client) -> dict[str, Any]:
    at = endpoints()
    granted = set(client.granted_scopes().values_list("value", flat=True))
    return {
        "token_url": at.token,
        "issuer_url": at.issuer,
        "client_id": client.client_id,
        "scope": " ".join(value for value in client.scopes if value in granted),
        "assertion_type": AuthMethod.FEDERATED.value,
    }


def _render(name: str, context: dict[str, Any]) -> str:
    return render_to_string(f"clients/snippets/{name}.txt", context).strip()
