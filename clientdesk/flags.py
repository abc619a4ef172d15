"""The members of a client's metadata: flags by Ory's names on the command line, fields on the screens of the TUI."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter
from typing import Annotated, Any, Literal

import typer

from clientdesk.errors import USAGE, CommandError
from clientdesk.input import read_json_option

Kind = Literal["text", "list", "space_separated", "boolean", "integer", "json", "refused"]
Tab = Literal["Basic", "Tokens", "Logout", "Software", "Keys", "Advanced", "Claims", "Operators"]

_ACRONYMS = {"uri": "URI", "uris": "URIs", "jwks": "JWKS", "cors": "CORS", "dpop": "DPoP", "id": "ID", "tos": "terms"}

# The values that a shell completes, by flag.
VALUES = {
    "grant-type": [
        "authorization_code",
        "client_credentials",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
    "response-type": ["code"],
    "token-endpoint-auth-method": [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "none",
    ],
    "access-token-strategy": ["jwt", "opaque"],
    "application-type": ["web", "native"],
    "environment-type": ["production", "preview", "development"],
    "preset": ["okta", "auth0", "entra", "google", "keycloak", "ping", "any"],
    "client-authentication": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
    "sign-in": ["off", "offered", "required"],
    "sign-in-by": ["members", "connections", "own_login"],
}


def completion(values: list[str]) -> Callable[[str], list[str]]:
    """Return a function by which a shell completes the beginning of a value."""
    return lambda incomplete: [value for value in values if value.startswith(incomplete)]


@dataclass(frozen=True)
class Flag:
    """A member of a client's metadata: a flag on the command line, a field on the screen."""

    name: str
    member: str  # of the client's metadata (RFC 7591 section 2, and Ory's)
    kind: Kind
    tab: Tab | None  # of the client's editor; None for a flag that is taken for Ory's sake alone
    help: str

    @property
    def key(self) -> str:
        return self.name.replace("-", "_")

    @property
    def label(self) -> str:
        """Return the member's name as people read it: Redirect URIs."""
        words = [_ACRONYMS.get(word, word) for word in self.member.split("_")]
        return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])

    @property
    def parameter(self) -> Parameter:
        """Return the option, as a parameter that Typer reads."""
        types: dict[Kind, Any] = {"list": list[str], "space_separated": list[str], "boolean": bool, "integer": int}
        metavars: dict[Kind, str | None] = {"json": "JSON", "integer": "NUMBER", "boolean": None}
        option = typer.Option(
            f"--{self.name}",
            help=f"{self.help} Or --no-{self.name}." if self.kind == "boolean" and self.tab else self.help,
            hidden=self.tab is None,
            rich_help_panel=self.tab,
            autocompletion=completion(VALUES.get(self.name, [])),
            metavar=metavars.get(self.kind, "TEXT"),
        )
        annotation: Any = Annotated[types.get(self.kind, str) | None, option]
        return Parameter(self.key, Parameter.KEYWORD_ONLY, annotation=annotation, default=None)

    @property
    def negation(self) -> Parameter:
        """Return --no-NAME. It has no line in the help, where it would leave no room for the names."""
        annotation: Any = Annotated[bool, typer.Option(f"--no-{self.name}", hidden=True)]
        return Parameter(f"no_{self.key}", Parameter.KEYWORD_ONLY, annotation=annotation, default=False)

    def read(self, value: Any) -> Any:
        """Return the member's value as JSON has it. Lists are repeated flags, or separated by commas."""
        if self.kind in ("list", "space_separated"):
            items = [item.strip() for text in value for item in text.split(",") if item.strip()]
            return items if self.kind == "list" else " ".join(part for item in items for part in item.split())
        if self.kind == "json":
            return read_json_option(value, f"--{self.name}")
        if self.kind == "refused":
            raise CommandError(self.help, USAGE)
        return value


_NOT_SUPPORTED = "Not supported; the server refuses it with the reason."
FLAGS = [
    Flag("name", "client_name", "text", "Basic", "Name of the client, as people read it."),
    Flag("grant-type", "grant_types", "list", "Basic", "client_credentials, authorization_code, … Repeatable."),
    Flag("response-type", "response_types", "list", "Basic", "code, where people sign in. Repeatable."),
    Flag("scope", "scope", "space_separated", "Basic", "Scopes that the client may request. Repeatable."),
    Flag("redirect-uri", "redirect_uris", "list", "Basic", "Where people return to after signing in. Repeatable."),
    Flag(
        "token-endpoint-auth-method",
        "token_endpoint_auth_method",
        "text",
        "Basic",
        "How the client authenticates, such as client_secret_basic.",
    ),
    Flag("owner", "owner", "text", "Basic", "A free label."),
    Flag("description", "description", "text", "Basic", "What the client is for, for colleagues."),
    Flag("application-type", "application_type", "text", "Basic", "web, or native for apps on people's devices."),
    Flag("access-token-strategy", "access_token_strategy", "text", "Tokens", "Format of access tokens: jwt or opaque."),
    Flag("audience", "audience", "list", "Tokens", "Audiences besides those of the scopes. Repeatable."),
    Flag("require-resource", "require_resource", "boolean", "Tokens", "Require the resource parameter (RFC 8707)."),
    Flag(
        "dpop-bound-access-tokens",
        "dpop_bound_access_tokens",
        "boolean",
        "Tokens",
        "Require DPoP (RFC 9449).",
    ),
    Flag(
        "refresh-token-grace",
        "refresh_token_grace",
        "integer",
        "Tokens",
        "Seconds for which a used refresh token still works.",
    ),
    Flag(
        "id-token-signed-response-alg",
        "id_token_signed_response_alg",
        "text",
        "Tokens",
        "Signing algorithm of ID tokens.",
    ),
    Flag(
        "userinfo-signed-response-alg",
        "userinfo_signed_response_alg",
        "text",
        "Tokens",
        "Signing algorithm of userinfo; none for plain JSON.",
    ),
    Flag(
        "post-logout-callback",
        "post_logout_redirect_uris",
        "list",
        "Logout",
        "Where people return to after signing out. Repeatable.",
    ),
    Flag("backchannel-logout-callback", "backchannel_logout_uri", "text", "Logout", "Back-channel logout URL."),
    Flag(
        "backchannel-logout-session-required",
        "backchannel_logout_session_required",
        "boolean",
        "Logout",
        "Include the session ID (sid) in logout tokens.",
    ),
    Flag(
        "skip-logout-consent",
        "skip_logout_consent",
        "boolean",
        "Logout",
        "Do not ask people before signing out. Operators only.",
    ),
    Flag("client-uri", "client_uri", "text", "Software", "Home page."),
    Flag("logo-uri", "logo_uri", "text", "Software", "Logo."),
    Flag("policy-uri", "policy_uri", "text", "Software", "Privacy policy."),
    Flag("tos-uri", "tos_uri", "text", "Software", "Terms of service."),
    Flag("contact", "contacts", "list", "Software", "E-mail addresses of the people responsible. Repeatable."),
    Flag("software-id", "software_id", "text", "Software", "Identifies the software, alike in all installations."),
    Flag("software-version", "software_version", "text", "Software", "Version of the software."),
    Flag("jwks", "jwks", "json", "Keys", "Public keys of the client: JSON, or @FILE."),
    Flag("jwks-uri", "jwks_uri", "text", "Keys", "URL of the client's public keys."),
    Flag(
        "token-endpoint-auth-signing-alg",
        "token_endpoint_auth_signing_alg",
        "text",
        "Keys",
        "Signing algorithm of the client's assertions, such as ES256.",
    ),
    Flag(
        "allowed-cors-origin", "allowed_cors_origins", "list", "Advanced", "Origins of the client's pages. Repeatable."
    ),
    Flag(
        "require-pushed-authorization-requests",
        "require_pushed_authorization_requests",
        "boolean",
        "Advanced",
        "Require pushed authorization requests (RFC 9126).",
    ),
    Flag(
        "default-max-age",
        "default_max_age",
        "integer",
        "Advanced",
        "Seconds after which people have to sign in again.",
    ),
    Flag("require-auth-time", "require_auth_time", "boolean", "Advanced", "Include auth_time in ID tokens."),
    Flag(
        "default-acr-values", "default_acr_values", "list", "Advanced", "ACR values that sign-ins request. Repeatable."
    ),
    Flag("initiate-login-uri", "initiate_login_uri", "text", "Advanced", "URL that starts a sign-in."),
    Flag(
        "environment-type",
        "environment_type",
        "text",
        "Advanced",
        "Makes the client a workload: production, preview or development.",
    ),
    Flag("project", "project", "text", "Advanced", "Project of a workload."),
    Flag("deployment", "deployment", "text", "Advanced", "Deployment of a workload's project."),
    Flag(
        "identity-token-audience",
        "identity_token_audience",
        "list",
        "Advanced",
        "Audiences of a workload's identity tokens, the default first. Repeatable.",
    ),
    Flag("skip-consent", "skip_consent", "boolean", "Advanced", "Do not ask people for consent. Operators only."),
    Flag("metadata", "metadata", "json", "Advanced", "Anything to keep with the client: JSON, or @FILE."),
    Flag("subject-type", "subject_type", "text", None, "public."),
    Flag("sector-identifier-uri", "sector_identifier_uri", "text", None, _NOT_SUPPORTED),
    Flag("request-uri", "request_uris", "list", None, _NOT_SUPPORTED),
    Flag("request-object-signing-alg", "request_object_signing_alg", "text", None, _NOT_SUPPORTED),
    Flag("frontchannel-logout-callback", "frontchannel_logout_uri", "text", None, _NOT_SUPPORTED),
    Flag(
        "frontchannel-logout-session-required", "frontchannel_logout_session_required", "boolean", None, _NOT_SUPPORTED
    ),
    Flag("id", "client_id", "refused", None, "The server chooses client IDs. Leave --id out."),
    Flag("secret", "client_secret", "refused", None, "The server chooses secrets. Leave --secret out."),
    *(
        Flag(name, "client_secret", "refused", None, f"Secrets are not encrypted for a key. Leave --{name} out.")
        for name in ("pgp-key", "pgp-key-url", "keybase")
    ),
]
# On the screens beside the flags; the command line has `update lifespans` for them.
LIFESPANS = [
    Flag(
        f"{name}-lifespan",
        f"{name.replace('-', '_')}_lifespan",
        "text",
        "Tokens",
        "Such as 15m; empty for the default.",
    )
    for name in (
        "client-credentials-grant-access-token",
        "authorization-code-grant-access-token",
        "authorization-code-grant-id-token",
        "authorization-code-grant-refresh-token",
        "refresh-token-grant-access-token",
        "refresh-token-grant-id-token",
        "refresh-token-grant-refresh-token",
        "device-authorization-grant-access-token",
        "device-authorization-grant-id-token",
        "device-authorization-grant-refresh-token",
        "identity-token",
    )
]


def parameters_of(flags: list[Flag]) -> list[Parameter]:
    """Return the options of these flags, with --no-NAME of each that is yes or no."""
    return [*(flag.parameter for flag in flags), *(flag.negation for flag in flags if flag.kind == "boolean")]


def members_of(flags: list[Flag], values: dict[str, Any]) -> dict[str, Any]:
    """Return the members that these flags set, by the values of their options; what was not given is left out."""
    off = {flag.member: False for flag in flags if flag.kind == "boolean" and values.get(flag.negation.name)}
    given = {flag: values.get(flag.key) for flag in flags}
    return off | {flag.member: flag.read(value) for flag, value in given.items() if value not in (None, [])}


PARAMETERS = parameters_of(FLAGS)


def metadata_of(values: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a client that the flags set, by the values of PARAMETERS."""
    return members_of(FLAGS, values)


def json_patch_of(members: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the JSON Patch that sets these members, and nothing else (RFC 6902)."""
    return [{"op": "replace", "path": f"/{member}", "value": value} for member, value in members.items()]
