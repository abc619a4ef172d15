"""The flags that describe a client, by the names that Ory's program gives them, and the metadata members they set."""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from portal.terminal.output import read_input
from portal.terminal.problems import USAGE, Problem

Kind = Literal["text", "many", "words", "switch", "number", "json"]


@dataclass(frozen=True)
class Flag:
    name: str
    member: str  # of the client's metadata (RFC 7591 section 2, and Ory's)
    kind: Kind
    help: str

    @property
    def key(self) -> str:
        return self.name.replace("-", "_")

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


FLAGS = [
    Flag("name", "client_name", "text", "Its name, as people read it."),
    Flag("owner", "owner", "text", "A free label."),
    Flag("grant-type", "grant_types", "many", "Grant type: client_credentials, authorization_code, … Repeatable."),
    Flag("response-type", "response_types", "many", "Response type: code. Repeatable."),
    Flag("scope", "scope", "words", "Permission it may ask for. Repeatable."),
    Flag("audience", "audience", "many", "Audience it may name besides those of its permissions. Repeatable."),
    Flag("redirect-uri", "redirect_uris", "many", "Address that people return to. Repeatable."),
    Flag("post-logout-callback", "post_logout_redirect_uris", "many", "Address after signing out. Repeatable."),
    Flag("allowed-cors-origin", "allowed_cors_origins", "many", "Origin of its pages. Repeatable."),
    Flag("token-endpoint-auth-method", "token_endpoint_auth_method", "text", "How it proves who it is."),
    Flag(
        "token-endpoint-auth-signing-alg", "token_endpoint_auth_signing_alg", "text", "The algorithm of its assertions."
    ),
    Flag("jwks", "jwks", "json", "Its public keys: JSON, or @FILE."),
    Flag("jwks-uri", "jwks_uri", "text", "Where its public keys are."),
    Flag("client-uri", "client_uri", "text", "Its home page."),
    Flag("logo-uri", "logo_uri", "text", "Its logo."),
    Flag("policy-uri", "policy_uri", "text", "Its privacy policy."),
    Flag("tos-uri", "tos_uri", "text", "Its terms of service."),
    Flag("contact", "contacts", "many", "Address of somebody responsible. Repeatable."),
    Flag("metadata", "metadata", "json", "Anything to keep with it: a JSON object, or @FILE."),
    Flag("access-token-strategy", "access_token_strategy", "text", "jwt or opaque."),
    Flag("subject-type", "subject_type", "text", "public."),
    Flag("sector-identifier-uri", "sector_identifier_uri", "text", "Not offered here; refused with the reason."),
    Flag("request-uri", "request_uris", "many", "Not offered here; refused with the reason."),
    Flag(
        "request-object-signing-alg", "request_object_signing_alg", "text", "Not offered here; refused with the reason."
    ),
    Flag("backchannel-logout-callback", "backchannel_logout_uri", "text", "Where it is told of sign-outs."),
    Flag(
        "backchannel-logout-session-required",
        "backchannel_logout_session_required",
        "switch",
        "Name the session when telling it.",
    ),
    Flag(
        "frontchannel-logout-callback", "frontchannel_logout_uri", "text", "Not offered here; refused with the reason."
    ),
    Flag(
        "frontchannel-logout-session-required",
        "frontchannel_logout_session_required",
        "switch",
        "Not offered here; refused with the reason.",
    ),
    Flag("skip-consent", "skip_consent", "switch", "Do not ask people. Operators only."),
    Flag("skip-logout-consent", "skip_logout_consent", "switch", "Sign out without asking. Operators only."),
    Flag(
        "require-par",
        "require_pushed_authorization_requests",
        "switch",
        "Require pushed authorization requests (RFC 9126).",
    ),
    Flag("dpop", "dpop_bound_access_tokens", "switch", "Bind its tokens to a key (RFC 9449)."),
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
