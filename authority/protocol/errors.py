"""OAuth 2.0 error responses: a registered code, and a description for the developer.

Descriptions stay within the characters that RFC 6749 section 5.2 allows, and never repeat what was sent.
"""

import json
from collections.abc import Mapping
from typing import Any

from django.http import JsonResponse
from oauthlib.oauth2.rfc6749.errors import (
    FatalClientError,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    InvalidTokenError,
    OAuth2Error,
    UnauthorizedClientError,
)

from authority.telemetry import request_trace
from core.rest import responses

DESCRIPTIONS = {
    "invalid_request": "The request lacks a parameter, repeats one, or is malformed.",
    "invalid_client": "The client is unknown, or its credentials are wrong or have expired.",
    "authorization_pending": "Nobody has answered yet. Ask again after the interval.",
    "slow_down": "Wait five seconds more between two requests, from now on.",
    "expired_token": "Nobody answered in time. Start again with a new device code.",
    "access_denied": "The person said no.",
    "invalid_grant": "The code or refresh token is unknown, has expired, was already used, or is not this client's.",
    "unauthorized_client": "This client is not registered for this grant type.",
    "unsupported_grant_type": "Use a grant type of grant_types_supported, as the discovery document lists them.",
    "invalid_scope": "The client may not use one of these scopes.",
    "invalid_target": "The resource is unknown, malformed, or not this client's to use.",
    "invalid_token": "The access token is unknown, has expired or was revoked.",
    "insufficient_scope": "The access token does not carry the scope that this needs.",
}
# Where the challenge for Basic credentials belongs (RFC 6749 section 5.2, RFC 7617).
BASIC_CHALLENGE = 'Basic realm="clients", charset="UTF-8"'

__all__ = [
    "InvalidClientError",
    "InvalidDpopProofError",
    "InvalidGrantError",
    "InvalidRequestError",
    "InvalidRequestUriError",
    "InvalidScopeError",
    "InvalidTargetError",
    "InvalidTokenError",
    "OAuth2Error",
    "StaleFormError",
    "TooManyFailuresError",
    "TooManyRequestsError",
    "UnauthorizedClientError",
    "UseDpopNonceError",
    "error_response",
    "refuse",
]


class InvalidTargetError(OAuth2Error):
    """The resource is none that the client may name (RFC 8707 section 2)."""

    error = "invalid_target"


class InvalidDpopProofError(OAuth2Error):
    """The proof in the header DPoP is not valid for this request (RFC 9449 section 5)."""

    error = "invalid_dpop_proof"
    description = "The DPoP proof is not valid for this request."


class UseDpopNonceError(OAuth2Error):
    """The proof must carry the nonce that the answer's header DPoP-Nonce gives (RFC 9449 section 8)."""

    error = "use_dpop_nonce"
    description = "Create a new proof, with the nonce in the header DPoP-Nonce of this response."


class TooManyRequestsError(OAuth2Error):
    """Too many requests (RFC 6585 section 4); the code is of RFC 6749 section 4.1.2.1."""

    error = "temporarily_unavailable"
    status_code = 429
    reason = "Too many requests of this client are waiting. Wait {} seconds before you continue."

    def __init__(self, seconds: int) -> None:
        super().__init__(self.reason.format(seconds))
        self.seconds = seconds

    @property
    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.seconds)}


class TooManyFailuresError(TooManyRequestsError):
    """Too many requests failed authentication."""

    reason = (
        "Too many requests from this IP address failed to authenticate. Wait {} seconds, and check client ID and "
        "credentials before you continue."
    )


class InvalidRequestUriError(FatalClientError):
    """The request_uri leads to no pushed request (RFC 9126 section 2.2, RFC 9101 section 6.1)."""

    error = "invalid_request_uri"


class StaleFormError(FatalClientError):
    """The form was made for another request, or for another person."""

    error = "invalid_request"
    description = "The page that was submitted belongs to another request or account. Start again at the app."


def error_response(error: OAuth2Error) -> JsonResponse:
    """Return the exception as an error response (RFC 6749 section 5.2)."""
    response = refuse(error.error, error.description, error.status_code)
    return _with_retry_after(response, error.headers)


def _with_retry_after(response: JsonResponse, headers: Mapping[str, str]) -> JsonResponse:
    if "Retry-After" in headers:
        response["Retry-After"] = headers["Retry-After"]
    return response


def refuse(code: str, description: str | None = None, status: int | None = None) -> JsonResponse:
    """Return an error response (RFC 6749 section 5.2)."""
    request_trace.set_error(code, description=description)
    if code == "invalid_client":
        status = 401
    described = description or DESCRIPTIONS.get(code, "The request was refused.")
    response = responses.error(code, described, status or 400)
    if code == "invalid_client":
        response["WWW-Authenticate"] = BASIC_CHALLENGE
    return response


def from_oauthlib(headers: Mapping[str, str], body: str, status: int) -> JsonResponse:
    """Return an error that oauthlib wrote as JSON."""
    error: dict[str, Any] = json.loads(body)
    return _with_retry_after(refuse(error["error"], error.get("error_description"), status), headers)
