"""Rules of an authorization request that oauthlib leaves open. They run once client and redirect URI are proven."""

import re
from typing import Any

from oauthlib.oauth2.rfc6749.errors import CustomOAuth2Error, InvalidRequestError

# BASE64URL(SHA-256) is 43 characters (RFC 7636 section 4.2).
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
MAX_NONCE = 255
# What we read. Anything else is ignored (RFC 6749 section 3.1).
PARAMETERS = [
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state"),
    *("code_challenge", "code_challenge_method", "nonce", "prompt", "request", "request_uri"),
]


def check(request: Any) -> dict[str, Any]:
    """Raise the registered error for what we cannot serve; oauthlib calls this among its own checks."""
    for unserved in ("request", "request_uri"):
        if getattr(request, unserved, None):  # OpenID Connect Core section 3.1.2.6
            raise CustomOAuth2Error(
                f"{unserved}_not_supported", f"Send the parameters themselves, without {unserved}.", request=request
            )
    if request.code_challenge is not None and not CHALLENGE.fullmatch(request.code_challenge):
        raise InvalidRequestError("code_challenge must be 43 characters of base64url.", request=request)
    if request.nonce and len(request.nonce) > MAX_NONCE:
        raise InvalidRequestError(f"nonce must have at most {MAX_NONCE} characters.", request=request)
    return {}
