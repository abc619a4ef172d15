"""Ready commands: how a client gets a token, in curl, Python and Node.js.

With the secret at hand they carry the real values and work as they stand; without it they read CLIENT_ID and
CLIENT_SECRET from the environment, where the downloaded .env file puts them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.template.loader import render_to_string

from clients.models import Client, TrustRule
from clients.onboarding.endpoints import endpoints
from clients.vocabulary import IDENTITY_SCOPES, AuthMethod, GrantType

COMMANDS = {"github", "gitlab", "gcp", "aws", "azure", "kubernetes"}  # platforms that say how a program asks them
LANGUAGES = {"curl": "curl", "python": "Python", "node": "Node.js"}


@dataclass(frozen=True)
class Snippet:
    language: str
    label: str
    text: str


def snippets(client: Client, secret: str | None = None) -> list[Snippet]:
    """Return the commands of the client's own flow, in templates/clients/snippets/; none for flows without one.

    A service gets its token (RFC 6749 section 4.4); other clients sign a person in with PKCE (RFC 7636).
    """
    if client.token_endpoint_auth_method == AuthMethod.PRIVATE_KEY_JWT and _acts_for_itself(client):
        return signed_snippets(client)
    if client.token_endpoint_auth_method == AuthMethod.FEDERATED and _acts_for_itself(client):
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
        # Up to what each sign-in makes anew: state and code_challenge.
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


def _acts_for_itself(client: Client) -> bool:
    plain = not client.dpop_bound_access_tokens and bool(client.scopes)  # no plain command makes DPoP's proofs
    return plain and GrantType.CLIENT_CREDENTIALS in client.grant_types


def _flow_of(client: Client) -> str:
    if client.dpop_bound_access_tokens:  # no plain command makes the proofs
        return ""
    if not (client.is_public or client.holds_secrets) or (client.is_workload and not client.scopes):
        return ""
    if GrantType.AUTHORIZATION_CODE in client.grant_types:
        return "sign_in"
    if GrantType.DEVICE_CODE in client.grant_types:
        return "device"
    return "service" if GrantType.CLIENT_CREDENTIALS in client.grant_types else ""


def env_file(client: Client) -> str:
    """Return the name of the client's .env file: what its name has of letters and digits, else its ID."""
    kept = "".join(c if c.isascii() and c.isalnum() else " " for c in client.client_name.lower()).split()
    return f"{'-'.join(kept)[:40] or client.client_id}.env"


# -- Without a secret -------------------------------------------------------------------------------------------------


def signed_snippets(client: Client, kid: str = "") -> list[Snippet]:
    """Return programs that sign an assertion with the private key in a file (RFC 7523 section 2.2)."""
    context = _basics(client) | _key_of(client, kid)
    return [
        Snippet(language, LANGUAGES[language], _rendered(f"signed.{language}", context))
        for language in ("node", "python")
    ]


def _key_of(client: Client, kid: str = "") -> dict[str, str]:
    keys = (client.client_jwks or {}).get("keys", [])
    return {
        "key_file": env_file(client).removesuffix(".env") + ".pem",
        "kid": kid or (keys[-1].get("kid") if keys else "") or "",
    }


def assertion_program(client: Client, file: str) -> str:
    """Return a program that prints an assertion, signed with the private key in a file."""
    return _rendered("assertion.python", _basics(client) | _key_of(client) | {"file": file})


def platform_command(rule: TrustRule | None) -> str:
    """Return the shell command that prints a token of the rule's platform, for the rule's audience."""
    platform = rule.issuer.platform if rule else ""
    name = platform if platform in COMMANDS else "other"
    return _rendered(f"platform.{name}", {"audience": rule.audience if rule else ""})


def trust_snippets(client: Client, rules: Iterable[TrustRule]) -> list[Snippet]:
    """Return what gets a token on each platform that the client has a rule for."""
    found: dict[str, Snippet] = {}
    for rule in rules:
        platform = rule.issuer.platform
        name = platform if platform in ("github", "gitlab", "kubernetes") else "other"
        context = _basics(client) | {"audience": rule.audience, "claims": rule.claims, "issuer": rule.issuer}
        context["command"] = platform_command(rule)
        label = str(rule.issuer.get_platform_display())
        found.setdefault(platform, Snippet(platform, label, _rendered(f"trust.{name}", context)))
    return list(found.values())


def _basics(client: Client) -> dict[str, Any]:
    at = endpoints()
    granted = set(client.granted_scopes().values_list("value", flat=True))
    return {
        "token_url": at.token,
        "issuer_url": at.issuer,
        "client_id": client.client_id,
        "scope": " ".join(value for value in client.scopes if value in granted),
        "assertion_type": AuthMethod.FEDERATED.value,
    }


def _rendered(name: str, context: dict[str, Any]) -> str:
    return render_to_string(f"clients/snippets/{name}.txt", context).strip()
