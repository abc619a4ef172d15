"""Ready commands: how a client gets a token, in curl, Python and Node.js.

With the secret at hand they carry the real values and work as they stand; without it they read CLIENT_ID and
CLIENT_SECRET from the environment, where the downloaded .env file puts them.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.template.loader import render_to_string

from clients.endpoints import endpoints
from clients.models import Client
from clients.vocabulary import IDENTITY_SCOPES, GrantType

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
    flow = flow_of(client)
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


def flow_of(client: Client) -> str:
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
