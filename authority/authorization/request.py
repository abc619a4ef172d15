"""Authorization requests: their parameters, and the rules that oauthlib leaves open (RFC 6749 section 4.1.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oauthlib.oauth2.rfc6749.errors import (
    CustomOAuth2Error,
    InvalidRequestError,
    UnsupportedCodeChallengeMethodError,
)

from authority.client_authentication import dpop
from authority.client_directory import ClientEntry
from authority.people import browser_authentication, id_tokens
from authority.protocol import redirect_uris

# BASE64URL(SHA-256) is 43 characters (RFC 7636 section 4.2).
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
SECONDS = re.compile(r"[0-9]{1,9}")
MAX_NONCE = 255
RESPONSE_MODES = ("query", "fragment", "form_post")
PROMPTS = ("none", "login", "consent", "select_account")
UNSUPPORTED_PARAMETERS = (
    "request",
    "request_uri",
    "registration",
)  # each has its error (OpenID Connect Core section 3.1.2.6)
# The parameters that oauthlib validates, with `check_parameters` among its validators.
VALIDATED_PARAMETERS = [
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"),
    *("code_challenge", "code_challenge_method", "nonce", "dpop_jkt", *UNSUPPORTED_PARAMETERS),
]
# The parameters that we read. Any other is ignored (RFC 6749 section 3.1), such as claims_locales and claims (OpenID
# Connect Core section 15.1). display and ui_locales are for the provider's own login: our pages have one form and one
# language, which discovery names.
PARAMETERS = [
    *VALIDATED_PARAMETERS,
    *("resource", "prompt", "max_age", "acr_values", "login_hint", "id_token_hint", "display", "ui_locales"),
]


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A valid authorization request."""

    entry: ClientEntry
    redirect_uri: str
    response_mode: str
    state: str | None
    scopes: list[str]
    resources: list[str]
    prompts: frozenset[str]
    max_age: int | None  # seconds
    acr: str | None  # the authentication context that the client prefers
    login_hint: str
    subject: str | None  # of the id_token_hint

    @property
    def client(self) -> Any:
        return self.entry.client


def check_parameters(request: Any) -> dict[str, Any]:
    """Raise the registered error for what is not supported; oauthlib calls this before its own checks."""
    for name in UNSUPPORTED_PARAMETERS:
        if getattr(request, name, None):
            raise CustomOAuth2Error(
                f"{name}_not_supported", f"Send the parameters themselves, without {name}.", request=request
            )
    if request.response_mode not in (None, *RESPONSE_MODES):
        raise InvalidRequestError(
            f"response_mode must be {', '.join(RESPONSE_MODES[:-1])} or {RESPONSE_MODES[-1]}.", request=request
        )
    if request.response_mode == "form_post" and not redirect_uris.is_web(request.redirect_uri):
        raise InvalidRequestError("response_mode form_post needs an http or https redirect_uri.", request=request)
    if request.code_challenge is not None and not CHALLENGE.fullmatch(request.code_challenge):
        raise InvalidRequestError("code_challenge must be 43 characters of base64url.", request=request)
    if request.nonce and len(request.nonce) > MAX_NONCE:
        raise InvalidRequestError(f"nonce must have at most {MAX_NONCE} characters.", request=request)
    jkt = getattr(request, "dpop_jkt", None)
    if jkt is not None and not dpop.THUMBPRINT.fullmatch(jkt):
        raise InvalidRequestError("dpop_jkt must be the SHA-256 thumbprint of a key.", request=request)
    return {}


def require_s256(request: Any) -> dict[str, Any]:
    """Raise the registered error for any other method: “plain” proves nothing (RFC 9700 section 2.1.1)."""
    if request.code_challenge_method != "S256":
        raise UnsupportedCodeChallengeMethodError(request=request)
    return {}


def read_prompts(parameters: Mapping[str, str]) -> frozenset[str]:
    """Raise InvalidRequestError for an unknown prompt, and for none beside others."""
    prompts = frozenset(parameters.get("prompt", "").split())
    if not prompts <= set(PROMPTS):
        raise InvalidRequestError(f"prompt must be of {', '.join(PROMPTS)}.")
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequestError("prompt none excludes every other.")
    return prompts


def read_max_age(parameters: Mapping[str, str], entry: ClientEntry) -> int | None:
    """Return the request's max_age in seconds, else the client's default_max_age."""
    if "max_age" not in parameters:
        default: int | None = entry.client.default_max_age
        return default
    if not SECONDS.fullmatch(parameters["max_age"]):
        raise InvalidRequestError("max_age must be a number of seconds.")
    return int(parameters["max_age"])


def read_acr(parameters: Mapping[str, str], entry: ClientEntry) -> str | None:
    """Return the first supported class of acr_values, else of the client's default_acr_values."""
    preferred = parameters["acr_values"].split() if "acr_values" in parameters else entry.client.default_acr_values
    return next((value for value in preferred if value in browser_authentication.ACR_VALUES), None)


def read_subject(parameters: Mapping[str, str], entry: ClientEntry) -> str | None:
    """Return the hint's subject; it may have expired and its key be retired, since it authenticates nobody."""
    if "id_token_hint" not in parameters:
        return None
    claims = id_tokens.read_id_token(parameters["id_token_hint"])
    if claims is None or claims["aud"] != entry.client.client_id:
        raise InvalidRequestError("id_token_hint is not an ID token that we issued to this client.")
    return str(claims["sub"])
