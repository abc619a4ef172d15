"""What describes a client: flags by the names that Ory's program gives them, fields on the screens of the TUI."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from portal.terminal.output import read_input
from portal.terminal.problems import USAGE, Problem

Kind = Literal["text", "many", "words", "switch", "number", "json"]


Tab = Literal["Basic", "Tokens", "Logout", "Software", "Keys", "Advanced"]


ACRONYMS = {"uri": "URI", "uris": "URIs", "jwks": "JWKS", "cors": "CORS", "dpop": "DPoP", "id": "ID", "tos": "terms"}


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
        }
        spelling = f"--{self.name}/--no-{self.name}" if self.kind == "switch" else f"--{self.name}"
        return Annotated[types[self.kind], typer.Option(spelling, help=self.help)], None

    def read(self, value: Any) -> Any:
        """Return the member's value as JSON has it. Lists are repeated flags, or parted by commas."""
        if self.kind in ("many", "words"):
            items = [item.strip() for text in value for item in text.split(",") if item.strip()]
            return items if self.kind == "many" else " ".join(part for item in items for part in item.split())
        if self.kind == "json":
            return read_json(value, f"--{self.name}")
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
    Flag("access-token-strategy", "access_token_strategy", "text", "Tokens", "jwt, or opaque."),
    Flag("audience", "audience", "many", "Tokens", "Audiences besides those of its permissions. Repeatable."),
    Flag("dpop", "dpop_bound_access_tokens", "switch", "Tokens", "Bind its tokens to a key (RFC 9449)."),
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
    Flag("skip-consent", "skip_consent", "switch", "Advanced", "Do not ask people. Operators only."),
    Flag("metadata", "metadata", "json", "Advanced", "Anything to keep with it: a JSON object, or @FILE."),
    Flag("subject-type", "subject_type", "text", None, "public."),
    Flag("sector-identifier-uri", "sector_identifier_uri", "text", None, NOT_OFFERED),
    Flag("request-uri", "request_uris", "many", None, NOT_OFFERED),
    Flag("request-object-signing-alg", "request_object_signing_alg", "text", None, NOT_OFFERED),
    Flag("frontchannel-logout-callback", "frontchannel_logout_uri", "text", None, NOT_OFFERED),
    Flag("frontchannel-logout-session-required", "frontchannel_logout_session_required", "switch", None, NOT_OFFERED),
]
BY_KEY = {flag.key: flag for flag in FLAGS}
OPTIONS = {flag.key: flag.option for flag in FLAGS}


def document(given: dict[str, Any]) -> dict[str, Any]:
    """Return the members that the flags set; what was not given is left out."""
    return {BY_KEY[key].member: BY_KEY[key].read(value) for key, value in given.items() if value not in (None, [])}


def patch(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the JSON Patch that sets those members, and nothing else (RFC 6902)."""
    return [{"op": "replace", "path": f"/{member}", "value": value} for member, value in document(given).items()]


def read_json(text: str, where: str) -> Any:
    """Return JSON from the text, or from the file that `@` names."""
    try:
        return json.loads(read_input(text[1:]) if text.startswith("@") else text)
    except ValueError as error:
        raise Problem(f"{where} is not JSON: {error}.", USAGE) from None
