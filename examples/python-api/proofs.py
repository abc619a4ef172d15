"""A token that is bound to a key opens nothing without a proof of that key (DPoP, RFC 9449). Copy it with tokens.py."""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
from typing import Any

import jwt
from fastapi import Request

ALGORITHMS = ["ES256", "EdDSA", "PS256", "RS256"]
ORIGIN = os.environ.get("ORIGIN", "").rstrip("/")  # this API's own, such as https://api.example.com, behind a proxy
WINDOW = 60  # seconds that a proof is good for, and that two clocks may differ
MEMBERS = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}  # RFC 7638 section 3.2

_lock = threading.Lock()
_used: dict[tuple[str, str], float] = {}  # of this process; with several, keep it where all of them can see it


class InvalidProof(Exception):
    """The proof does not hold for this request."""


def token_of(request: Request) -> str | None:
    """Return the access token that the request presents as bound to a key."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "dpop" else None


def require(request: Request, token: str, claims: dict[str, Any], *, as_dpop: bool) -> None:
    """Raise InvalidProof or jwt.InvalidTokenError unless the token comes as it must (RFC 9449 section 7)."""
    bound = (claims.get("cnf") or {}).get("jkt")
    if not as_dpop:
        if bound is not None:  # else a stolen token would open this API as a bearer token
            raise jwt.InvalidTokenError("it is bound to a key: send it as DPoP, with a proof")
        return
    if bound is None or not hmac.compare_digest(prove(request, token).encode(), str(bound).encode()):
        raise jwt.InvalidTokenError("it is not bound to the key of the proof")


def prove(request: Request, token: str) -> str:
    """Return the thumbprint of the key that the request's proof shows (RFC 9449 section 4.3)."""
    sent = request.headers.getlist("DPoP")
    try:
        (proof,) = sent
        header = jwt.get_unverified_header(proof)
        jwk = header["jwk"]
        if header["typ"] != "dpop+jwt" or header["alg"] not in ALGORITHMS or "crit" in header or {"d", "k"} & set(jwk):
            raise InvalidProof("its header is not that of a proof")
        key = jwt.PyJWK(jwk, algorithm=header["alg"])
        claims = jwt.decode(proof, key, algorithms=[header["alg"]], leeway=WINDOW, options={"require": ["iat", "jti"]})
        thumbprint = encoded(json.dumps({name: jwk[name] for name in MEMBERS[jwk["kty"]]}, separators=(",", ":")))
        place = f"{ORIGIN or str(request.base_url).rstrip('/')}{request.url.path}"
        held = (claims.get("htm"), claims.get("htu"), claims.get("ath"))
        fresh = time.time() - claims["iat"] <= WINDOW
    except (jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
        raise InvalidProof(str(error)) from None
    if held != (request.method, place, encoded(token)):
        raise InvalidProof("it is for another request")
    if not fresh or not once(thumbprint, str(claims["jti"])):
        raise InvalidProof("it is too old, or was used before")
    return thumbprint


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def once(thumbprint: str, jti: str) -> bool:
    """Say whether the proof is used for the first time; forget those that are too old anyway."""
    now = time.time()
    with _lock:
        for name in [name for name, end in _used.items() if end < now]:
            del _used[name]
        return _used.setdefault((thumbprint, jti), end := now + 2 * WINDOW) is end
