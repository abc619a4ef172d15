"""How the portal authenticates at a provider's token endpoint (OpenID Connect Core section 9)."""

import base64
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

from connections.models import ClientAuthentication, Connection
from core import clock

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME = 60  # seconds

Sign = Callable[[dict[str, Any], int], str]  # claims, and for how many seconds the signature must verify
_signs: list[Sign] = []


def register_signer(sign: Sign) -> None:
    """Let the room that holds the signing keys sign our assertions (RFC 7523 section 3)."""
    _signs[:] = [sign]


def authenticate(connection: Connection, token_endpoint: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parameters of the body and the headers that authenticate us."""
    if connection.client_authentication == ClientAuthentication.CLIENT_SECRET_BASIC:
        # Both are form-urlencoded first (RFC 6749 section 2.3.1).
        pair = f"{quote_plus(connection.client_id)}:{quote_plus(connection.client_secret)}"
        return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    identified = {"client_id": connection.client_id}
    if connection.client_authentication == ClientAuthentication.CLIENT_SECRET_POST:
        return identified | {"client_secret": connection.client_secret}, {}
    now = int(clock.seconds())
    claims = {
        "iss": connection.client_id,
        "sub": connection.client_id,
        "aud": token_endpoint,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": secrets.token_urlsafe(16),
    }
    assertion = _signs[0](claims, LIFETIME)
    return identified | {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}, {}
