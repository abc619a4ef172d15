"""What describes a client: flags by the names that Ory's program gives them, fields on the screens of the TUI."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from clientdesk.problems import USAGE, Problem
from clientdesk.reading import read_option

Kind = Literal["text", "many", "words", "switch", "number", "json", "refused"]


Tab = Literal["Basic", "Tokens", "Logout", "Software", "Keys", "Advanced"]


ACRONYMS = {"uri": "URI", "uris": "URIs", "jwks": "JWKS", "cors": "CORS", "dpop": "DPoP", "id": "ID", "tos": "terms"}


VALUES = {
    "grant-type": [
        *("authorization_code", "client_credentials", "refresh_token"),
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
    "response-type": ["code"],
    "token-endpoint-auth-method": ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
    "access-token-strategy": ["jwt", "opaque"],
    "application-type": ["web", "native"],
    "environment-type": ["production", "preview", "development"],
}


def completion(values: list[str]) -> Callable[[str], list[str]]:
    """Return what a shell completes the beginning of a value to."""
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


@dataclass(frozen=True)
class Flag:
    """A member of a client's metadata: a flag on the command line, a field on the screen."""

    name: str
    member: str  # of the client's metadata (RFC 7591 section 2, and Ory's)
    kind: Kind
    tab: Tab | None  # where the screens have it; None for what is there for Ory's sake
    help: str

    @property
    def key(self) -> str:
        return self.name.replace("-", "_")

    @property
    def label(self) -> str:
        """Return the member's name as a person reads it: Redirect URIs."""
        words = [ACRONYMS.get(word, word) for word in self.member.split("_")]
        return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])

    @property
    def option(self) -> tuple[Any, Any]:
        """Return the annotation and default of the option."""
        types: dict[Kind, Any] = {
            "text": str | None,
            "many": list[str] | None,
            "words": list[str] | None,
            "switch": bool | None,
            "number": int | None,
            "json": str | None,
            "refused": str | None,
        }
        metavars: dict[str, str] = {"json": "JSON", "number": "NUMBER"}
        about = typer.Option(
            f"--{self.name}",
            help=f"{self.help} Or --no-{self.name}." if self.kind == "switch" and self.tab else self.help,
            hidden=self.tab is None,
            rich_help_panel=self.tab,
            autocompletion=completion(VALUES.get(self.name, [])),
            metavar=None if self.kind == "switch" else metavars.get(self.kind, "TEXT"),
        )
        return Annotated[types[self.kind], about], None

    def read(self, value: Any) -> Any:
        """Return the member's value as JSON has it. Lists are repeated flags, or parted by commas."""
        if self.kind in ("many", "words"):
            items = [item.strip() for text in value for item in text.split(",") if item.strip()]
            return items if self.kind == "many" else " ".join(part for item in items for part in item.split())
        if self.kind == "json":
            return read_option(value, f"--{self.name}")
        if self.kind == "refused":
            raise Problem(self.help, USAGE)
        return value


NOT_OFFERED = "Not offered here; refused with the reason."
FLAGS = [
    Flag("name", "client_name", "text", "Basic", "Its name, as people read it."),
    Flag("grant-type", "grant_types", "many", "Basic", "client_credentials, authorization_code, … Repeatable."),
    Flag("response-type", "response_types", "many", "Basic", "code, where people sign in. Repeatable."),
    Flag("scope", "scope", "words", "Basic", "Permissions that it may ask for. Repeatable."),
    Flag("redirect-uri", "redirect_uris", "many", "Basic", "Addresses that people return to. Repeatable."),
    Flag("token-endpoint-auth-method", "token_endpoint_auth_method", "text", "Basic", "How it proves who it is."),
    Flag("owner", "owner", "text", "Basic", "A free label."),
    Flag("description", "description", "text", "Basic", "What it is for, for colleagues."),
    Flag("application-type", "application_type", "text", "Basic", "web, or native for apps on people's devices."),
    Flag("access-token-strategy", "access_token_strategy", "text", "Tokens", "jwt, or opaque."),
    Flag("audience", "audience", "many", "Tokens", "Audiences besides those of its permissions. Repeatable."),
    Flag("require-resource", "require_resource", "switch", "Tokens", "Require it to name the API (RFC 8707)."),
    Flag("dpop", "dpop_bound_access_tokens", "switch", "Tokens", "Bind its tokens to a key (RFC 9449)."),
    Flag("refresh-token-grace", "refresh_token_grace", "number", "Tokens", "Seconds that a used refresh token works."),
    Flag("id-token-signed-response-alg", "id_token_signed_response_alg", "text", "Tokens", "Signs its ID tokens."),
    Flag("userinfo-signed-response-alg", "userinfo_signed_response_alg", "text", "Tokens", "Signs its userinfo."),
    Flag(
        "post-logout-callback",
        "post_logout_redirect_uris",
        "many",
        "Logout",
        "Addresses after signing out. Repeatable.",
    ),
    Flag("backchannel-logout-callback", "backchannel_logout_uri", "text", "Logout", "Where it is told of sign-outs."),
    Flag(
        "backchannel-logout-session-required",
        "backchannel_logout_session_required",
        "switch",
        "Logout",
        "Name the session when telling it.",
    ),
    Flag("skip-logout-consent", "skip_logout_consent", "switch", "Logout", "Sign out without asking. Operators only."),
    Flag("client-uri", "client_uri", "text", "Software", "Its home page."),
    Flag("logo-uri", "logo_uri", "text", "Software", "Its logo."),
    Flag("policy-uri", "policy_uri", "text", "Software", "Its privacy policy."),
    Flag("tos-uri", "tos_uri", "text", "Software", "Its terms of service."),
    Flag("contact", "contacts", "many", "Software", "Addresses of somebody responsible. Repeatable."),
    Flag("software-id", "software_id", "text", "Software", "What program it is, the same wherever it runs."),
    Flag("software-version", "software_version", "text", "Software", "Which version of the program."),
    Flag("jwks", "jwks", "json", "Keys", "Its public keys: JSON, or @FILE."),
    Flag("jwks-uri", "jwks_uri", "text", "Keys", "Where its public keys are."),
    Flag(
        "token-endpoint-auth-signing-alg",
        "token_endpoint_auth_signing_alg",
        "text",
        "Keys",
        "The algorithm of its assertions, such as ES256.",
    ),
    Flag("allowed-cors-origin", "allowed_cors_origins", "many", "Advanced", "Origins of its pages. Repeatable."),
    Flag(
        "require-par",
        "require_pushed_authorization_requests",
        "switch",
        "Advanced",
        "Require pushed authorization requests (RFC 9126).",
    ),
    Flag("default-max-age", "default_max_age", "number", "Advanced", "Seconds after which people sign in anew."),
    Flag("require-auth-time", "require_auth_time", "switch", "Advanced", "Say in ID tokens when people signed in."),
    Flag("default-acr-values", "default_acr_values", "many", "Advanced", "Ways of signing in it wants. Repeatable."),
    Flag("initiate-login-uri", "initiate_login_uri", "text", "Advanced", "Where sign-in can begin."),
    Flag(
        "environment-type",
        "environment_type",
        "text",
        "Advanced",
        "Makes it a workload: production, preview, development.",
    ),
    Flag("project", "project", "text", "Advanced", "What a workload belongs to."),
    Flag("deployment", "deployment", "text", "Advanced", "Which deployment of the project a workload is."),
    Flag("skip-consent", "skip_consent", "switch", "Advanced", "Do not ask people. Operators only."),
    Flag("metadata", "metadata", "json", "Advanced", "Anything to keep with it: a JSON object, or @FILE."),
    Flag("subject-type", "subject_type", "text", None, "public."),
    Flag("sector-identifier-uri", "sector_identifier_uri", "text", None, NOT_OFFERED),
    Flag("request-uri", "request_uris", "many", None, NOT_OFFERED),
    Flag("request-object-signing-alg", "request_object_signing_alg", "text", None, NOT_OFFERED),
    Flag("frontchannel-logout-callback", "frontchannel_logout_uri", "text", None, NOT_OFFERED),
    Flag("frontchannel-logout-session-required", "frontchannel_logout_session_required", "switch", None, NOT_OFFERED),
    Flag("id", "client_id", "refused", None, "Client IDs are chosen by the server. Leave --id out."),
    Flag("secret", "client_secret", "refused", None, "Secrets are chosen by the server. Leave --secret out."),
    *(
        Flag(name, "client_secret", "refused", None, f"Secrets are not encrypted for a key here. Leave --{name} out.")
        for name in ("pgp-key", "pgp-key-url", "keybase")
    ),
]
# On the screens beside the flags; the command line has `lifespans` for them.
LIFETIMES = [
    Flag(
        f"{name}-lifespan",
        f"{name.replace('-', '_')}_lifespan",
        "text",
        "Tokens",
        "Such as 15m; empty for the default.",
    )
    for name in (
        *("client-credentials-grant-access-token", "authorization-code-grant-access-token"),
        *("authorization-code-grant-id-token", "authorization-code-grant-refresh-token"),
        *("refresh-token-grant-access-token", "refresh-token-grant-id-token", "refresh-token-grant-refresh-token"),
        *("device-authorization-grant-access-token", "device-authorization-grant-id-token"),
        *("device-authorization-grant-refresh-token", "identity-token"),
    )
]
BY_KEY = {flag.key: flag for flag in FLAGS}
# The opposites of switches have no line of their own in the help, where they would leave no room for the names.
OPPOSITES = {f"no_{flag.key}": flag for flag in FLAGS if flag.kind == "switch"}
OPTIONS = {flag.key: flag.option for flag in FLAGS} | {
    key: (Annotated[bool, typer.Option(f"--no-{flag.name}", hidden=True)], False) for key, flag in OPPOSITES.items()
}


def document(given: dict[str, Any]) -> dict[str, Any]:
    """Return the members that the flags set; what was not given is left out."""
    off = {flag.member: False for key, flag in OPPOSITES.items() if given.pop(key, False)}
    return off | {
        BY_KEY[key].member: BY_KEY[key].read(value) for key, value in given.items() if value not in (None, [])
    }


def patch(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the JSON Patch that sets those members, and nothing else (RFC 6902)."""
    return [{"op": "replace", "path": f"/{member}", "value": value} for member, value in document(given).items()]
