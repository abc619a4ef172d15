"""Who may connect: verifies Clientdesk's access tokens (RFC 9068). Copy this file into your MCP server."""

import json
import os
import sys
import urllib.request
from typing import Any

import anyio.to_thread
import jwt
from mcp.server.auth.provider import AccessToken, TokenVerifier

ISSUER = os.environ.get("ISSUER", "").rstrip("/")  # the address of your Clientdesk
RESOURCE = os.environ.get("RESOURCE", "")  # this server's address, which is its API's identifier there
ALGORITHMS = ["ES256", "EdDSA", "PS256", "RS256"]  # public-key ones alone, whatever a token says (RFC 8725 section 3.1)
REQUIRED_CLAIMS = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]  # RFC 9068 section 2.2

if not (ISSUER and RESOURCE):
    sys.exit("Set ISSUER and RESOURCE.")


def discover() -> dict[str, Any]:
    """Return the issuer's metadata (RFC 8414)."""
    try:
        with urllib.request.urlopen(f"{ISSUER}/.well-known/oauth-authorization-server", timeout=10) as answer:
            found = json.load(answer)
    except (OSError, ValueError) as error:
        sys.exit(f"Cannot read the configuration of {ISSUER}: {error}")
    if found["issuer"] != ISSUER:  # RFC 8414 section 3.3
        sys.exit(f"{ISSUER} calls itself {found['issuer']}: set ISSUER to that.")
    return found


class Verifier(TokenVerifier):
    """Reads the issuer's public keys anew every five minutes, and when a key is unknown, at most twice a minute."""

    def __init__(self) -> None:
        self.keys = jwt.PyJWKClient(discover()["jwks_uri"], timeout=10)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return whom the token stands for, or None for one that opens nothing here.

        Raises jwt.PyJWKClientConnectionError: an issuer that is away is no reason to send the person there again.
        """
        try:
            claims = await anyio.to_thread.run_sync(self.claims, token)
        except jwt.PyJWKClientConnectionError:
            raise
        except jwt.PyJWTError:
            return None
        return AccessToken(
            token=token,
            client_id=claims["client_id"],
            subject=claims["sub"],
            scopes=str(claims.get("scope", "")).split(),
            expires_at=claims["exp"],
            resource=RESOURCE,
            claims=claims,
        )

    def claims(self, token: str) -> dict[str, Any]:
        # An ID token carries a signature of the same issuer; its type keeps it out (RFC 9068 section 4).
        if str(jwt.get_unverified_header(token).get("typ")).lower().removeprefix("application/") != "at+jwt":
            raise jwt.InvalidTokenError("it is no access token")
        key = self.keys.get_signing_key_from_jwt(token)
        if key.algorithm_name not in ALGORITHMS:
            raise jwt.InvalidTokenError("its key is of another kind")
        claims = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],  # one key, one algorithm: the key decides, not the token
            issuer=ISSUER,
            audience=RESOURCE,  # a token for another server opens nothing here (RFC 8707)
            leeway=5,  # seconds that two clocks may differ
            options={"require": REQUIRED_CLAIMS},
        )
        if "cnf" in claims:  # else a stolen token that is bound to a key would open this server as a bearer token
            raise jwt.InvalidTokenError("it is bound to a key")
        return claims
