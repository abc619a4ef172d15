"""Who may call: verifies Clientdesk's access tokens (RFC 9068). Copy this file into your API."""

import os
import sys
import threading
import time
from typing import Annotated, Any

import httpx
import jwt
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

import proofs

ISSUER = os.environ.get("ISSUER", "").rstrip("/")  # the address of your Clientdesk
AUDIENCE = os.environ.get("AUDIENCE", "")  # this API's identifier there
ALGORITHMS = ["ES256", "EdDSA", "PS256", "RS256"]  # public-key ones alone, whatever a token says (RFC 8725 section 3.1)
REQUIRED_CLAIMS = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"]  # RFC 9068 section 2.2

if not (ISSUER and AUDIENCE):
    sys.exit("Set ISSUER and AUDIENCE.")


class Keys:
    """The issuer's public keys, by their id. Most requests find theirs in memory."""

    MAX_AGE = 300  # seconds; a key that the issuer takes back is refused here after that time
    PAUSE = 30  # seconds between two fetches, so that made-up key ids cannot turn this API against the issuer

    def __init__(self, issuer: str) -> None:
        try:
            discovered = httpx.get(f"{issuer}/.well-known/openid-configuration").raise_for_status().json()
        except httpx.HTTPError as error:
            sys.exit(f"Cannot read the configuration of {issuer}: {error}")
        if discovered["issuer"] != issuer:  # RFC 8414 section 3.3
            sys.exit(f"{issuer} calls itself {discovered['issuer']}: set ISSUER to that.")
        self.uri = discovered["jwks_uri"]
        self.by_id: dict[str, jwt.PyJWK] = {}
        self.asked = self.loaded = float("-inf")
        self.lock = threading.Lock()

    def find(self, kid: str | None) -> jwt.PyJWK | None:
        """Return the key, fetching all of them again when it is unknown or they are old."""
        with self.lock:
            now = time.monotonic()
            if (kid not in self.by_id or now - self.loaded > self.MAX_AGE) and now - self.asked > self.PAUSE:
                self.asked = now
                try:
                    published = jwt.PyJWKSet.from_dict(httpx.get(self.uri).raise_for_status().json())
                except (httpx.HTTPError, ValueError, jwt.PyJWTError):
                    pass  # go on with the keys at hand: when the issuer is away, this API need not be
                else:
                    self.by_id = {key.key_id: key for key in published.keys if key.algorithm_name in ALGORITHMS}
                    self.loaded = now
        if not self.by_id:
            raise HTTPException(503, "The issuer's keys cannot be read now.", {"Retry-After": str(self.PAUSE)})
        return self.by_id.get(kid)


keys = Keys(ISSUER)
Sent = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


def caller(needed: SecurityScopes, request: Request, sent: Sent) -> dict[str, Any]:
    """Return the claims of a good token that has the needed scopes; refuse any other (RFC 6750 section 3.1)."""
    token = sent.credentials if sent else proofs.token_of(request)
    if not token:
        raise HTTPException(401, "Send an access token.", {"WWW-Authenticate": "Bearer"})
    try:
        claims = verify(token)
        proofs.require(request, token, claims, as_dpop=sent is None)
    except proofs.InvalidProof as error:
        challenge = {"WWW-Authenticate": f'DPoP error="invalid_dpop_proof", algs="{" ".join(proofs.ALGORITHMS)}"'}
        raise HTTPException(401, f"The DPoP proof is not accepted: {error}.", challenge) from None
    except jwt.InvalidTokenError as error:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise HTTPException(401, f"The access token is not accepted: {error}.", challenge) from None
    if not set(needed.scopes) <= set(str(claims.get("scope", "")).split()):
        challenge = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed.scope_str}"'}
        raise HTTPException(403, f"The token lacks {needed.scope_str}.", challenge)
    return claims


def verify(token: str) -> dict[str, Any]:
    """Return the claims of an access token. Raises jwt.InvalidTokenError."""
    header = jwt.get_unverified_header(token)
    # An ID token carries a signature of the same issuer; its type keeps it out (RFC 9068 section 4).
    if str(header.get("typ")).lower().removeprefix("application/") != "at+jwt":
        raise jwt.InvalidTokenError("it is no access token")
    key = keys.find(header.get("kid"))
    if key is None:
        raise jwt.InvalidTokenError("it is signed with an unknown key")
    return jwt.decode(
        token,
        key,
        algorithms=[key.algorithm_name],  # one key, one algorithm: the key decides, not the token
        issuer=ISSUER,
        audience=AUDIENCE,
        leeway=5,  # seconds that two clocks may differ
        options={"require": REQUIRED_CLAIMS},
    )
