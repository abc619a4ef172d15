"""Guides to accept a workload's identity tokens: one for each cloud and each kind of backend.

The words and commands are in templates/authority/guides/, filled in with the client's values.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authority.keys import workload_issuer
from authority.workloads import identity_tokens
from clients.models import Client
from clients.onboarding.snippets import assertion_program, env_file, platform_command
from clients.vocabulary import AuthMethod

ASSERTION_FILE = "assertion.py"
BACKEND = "https://backend.example.com"  # where the list names none


@dataclass(frozen=True)
class Guide:
    """`audience` is what the other side expects to read in aud; empty where the backend chooses it."""

    name: str
    title: str
    text: str
    audience: str = ""

    @property
    def template(self) -> str:
        return f"authority/guides/{self.name}.html"


CLOUDS = [
    Guide(
        "gcp",
        "Google Cloud",
        "Workload identity federation. Google’s libraries fetch the tokens themselves.",
        "https://iam.googleapis.com/projects/…",
    ),
    Guide("aws", "AWS", "An IAM OIDC provider, and a role that the workload assumes.", "sts.amazonaws.com"),
    Guide("azure", "Azure", "A federated credential of an app or a managed identity.", "api://AzureADTokenExchange"),
    Guide("vault", "HashiCorp Vault", "The JWT auth method, and a role with policies.", "vault"),
    Guide("kubernetes", "Kubernetes", "A user of the cluster, by the API server’s JWT authentication.", "kubernetes"),
]
BACKENDS = [
    Guide("fastify", "Fastify", "@fastify/jwt with the keys of the issuer."),
    Guide("express", "Express", "express-oauth2-jwt-bearer, which reads discovery."),
    Guide("fastapi", "FastAPI", "PyJWT with the keys of the issuer."),
    Guide("spring", "Spring", "Spring Security’s resource server, by configuration."),
    Guide("nginx", "nginx", "NGINX Plus on its own, or open-source nginx with a subrequest."),
    Guide("envoy", "Envoy", "The jwt_authn filter."),
]
GUIDES = {guide.name: guide for guide in [*CLOUDS, *BACKENDS]}


def template_context(guide: Guide, client: Client) -> dict[str, Any]:
    """Return what fills the guide in."""
    issuer = workload_issuer.issuer()
    clouds = {each.audience for each in CLOUDS}
    of_google = [value for value in client.identity_token_audience if value.startswith("https://iam.googleapis.com/")]
    own = [value for value in client.identity_token_audience if value not in {*clouds, *of_google}]
    audience = (
        guide.audience
        or (own or ([] if client.identity_token_audience else identity_tokens.audiences(client)) or [BACKEND])[0]
    )
    parts = urlsplit(issuer)
    return {
        "guide": guide,
        "issuer": issuer,
        "issuer_without_scheme": f"{parts.netloc}{parts.path}",
        "issuer_host": parts.hostname,
        "issuer_port": parts.port or (443 if parts.scheme == "https" else 80),
        "issuer_path": parts.path,
        "is_public": parts.scheme == "https",
        "jwks_uri": workload_issuer.endpoint_url("workload-jwks"),
        "token_url": workload_issuer.endpoint_url("workload-token"),
        "identity_url": workload_issuer.endpoint_url("workload-identity-token"),
        "subject": client.workload.subject,
        "account": client.workload.account,
        "audience": audience,
        "provider": of_google[0].removeprefix("https://iam.googleapis.com/") if of_google else "",
        "is_listed": audience in identity_tokens.audiences(client) or (guide.name == "gcp" and bool(of_google)),
        **_client_authentication(client),
        "resource_name": f"{client.project}-{client.environment_type}".lower()
        .replace("_", "-")
        .replace(".", "-")[:28]
        .rstrip("-"),
    }


def _client_authentication(client: Client) -> dict[str, Any]:
    """Return how the client's commands authenticate: `uses` is basic, post or assertion."""
    method = client.token_endpoint_auth_method
    context: dict[str, Any] = {"env_file": env_file(client), "uses": USES.get(method, "assertion")}
    if method == AuthMethod.PRIVATE_KEY_JWT:
        context |= {"assertion_file": ASSERTION_FILE, "assertion_command": f"python3 {ASSERTION_FILE}"}
        context["assertion_program"] = assertion_program(client, ASSERTION_FILE)
    elif method == AuthMethod.FEDERATED:
        rule = client.trust_rules.select_related("issuer").first()
        context |= {"rule": rule, "assertion_command": platform_command(rule)}
    return context | {"assertion_type": AuthMethod.FEDERATED.value}


USES = {AuthMethod.BASIC.value: "basic", AuthMethod.POST.value: "post"}
