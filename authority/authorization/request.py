"""An authorization request: what it may say, and the rules that oauthlib leaves open (RFC 6749 section 4.1.1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from oauthlib.oauth2.rfc6749.errors import CustomOAuth2Error, InvalidRequestError

from authority.client_authentication import dpop
from authority.client_directory import Entry
from authority.people import browser_authentication, id_tokens
from authority.protocol import redirect_uris

# BASE64URL(SHA-256) is 43 characters (RFC 7636 section 4.2).
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
SECONDS = re.compile(r"[0-9]{1,9}")
MAX_NONCE = 255
MODES = ("query", "fragment", "form_post")
PROMPTS = ("none", "login", "consent", "select_account")
UNSERVED = ("request", "request_uri", "registration")  # each has its error (OpenID Connect Core section 3.1.2.6)
# What oauthlib judges, with our check among its own.
JUDGED = [
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"),
    *("code_challenge", "code_challenge_method", "nonce", "dpop_jkt", *UNSERVED),
]
# What we read. Anything else is ignored (RFC 6749 section 3.1), display, ui_locales, claims_locales and claims among it
# (OpenID Connect Core section 15.1): our pages have one form and one language, which discovery names.
PARAMETERS = [*JUDGED, "resource", "prompt", "max_age", "acr_values", "login_hint", "id_token_hint"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that holds: client, redirect URI and everything else are proven."""

    entry: Entry
    redirect_uri: str
    response_mode: str
    state: str | None
    scopes: list[str]
    resources: list[str]
    prompts: frozenset[str]
    max_age: int | None  # seconds
    acr: str | None  # how the client would like the person to sign in best
    login_hint: str
    subject: str | None  # whom the id_token_hint names

    @property
    def client(self) -> Any:
        return self.entry.client


def check(request: Any) -> dict[str, Any]:
    """Raise the registered error for what we cannot serve; oauthlib calls this among its own checks."""
    for unserved in UNSERVED:
        if getattr(request, unserved, None):
            raise CustomOAuth2Error(
                f"{unserved}_not_supported", f"Send the parameters themselves, without {unserved}.", request=request
            )
    if request.response_mode not in (None, *MODES):
        raise InvalidRequestError(f"response_mode must be {', '.join(MODES[:-1])} or {MODES[-1]}.", request=request)
    if request.response_mode == "form_post" and not redirect_uris.is_web(request.redirect_uri):
        raise InvalidRequestError("response_mode form_post needs a web address as redirect_uri.", request=request)
    if request.code_challenge is not None and not CHALLENGE.fullmatch(request.code_challenge):
        raise InvalidRequestError("code_challenge must be 43 characters of base64url.", request=request)
    if request.nonce and len(request.nonce) > MAX_NONCE:
        raise InvalidRequestError(f"nonce must have at most {MAX_NONCE} characters.", request=request)
    jkt = getattr(request, "dpop_jkt", None)
    if jkt is not None and not dpop.THUMBPRINT.fullmatch(jkt):
        raise InvalidRequestError("dpop_jkt must be the SHA-256 thumbprint of a key.", request=request)
    return {}


def read_prompts(parameters: Mapping[str, str]) -> frozenset[str]:
    """Raises InvalidRequestError for a prompt that nobody registered, and for none beside others."""
    prompts = frozenset(parameters.get("prompt", "").split())
    if not prompts <= set(PROMPTS):
        raise InvalidRequestError(f"prompt must be of {', '.join(PROMPTS)}.")
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequestError("prompt none excludes every other.")
    return prompts


def read_max_age(parameters: Mapping[str, str], entry: Entry) -> int | None:
    """Return how long ago the person may have signed in: what the request says, else the client's registration."""
    if "max_age" not in parameters:
        default: int | None = entry.client.default_max_age
        return default
    if not SECONDS.fullmatch(parameters["max_age"]):
        raise InvalidRequestError("max_age must be a number of seconds.")
    return int(parameters["max_age"])


def read_acr(parameters: Mapping[str, str], entry: Entry) -> str | None:
    """Return the first of the classes that we know, for they stand by preference: the request's, else the client's."""
    wished = parameters["acr_values"].split() if "acr_values" in parameters else entry.client.default_acr_values
    return next((value for value in wished if value in browser_authentication.ACR_VALUES), None)


def read_subject(parameters: Mapping[str, str], entry: Entry) -> str | None:
    """Return whom the hint names; it may have ended and its key be retired, for it proves nothing anyway."""
    if "id_token_hint" not in parameters:
        return None
    claims = id_tokens.read_id_token(parameters["id_token_hint"])
    if claims is None or claims["aud"] != entry.client.client_id:
        raise InvalidRequestError("id_token_hint is no ID token that this client got from us.")
    return str(claims["sub"])
