"""Proofs that the sender of a request holds a private key, to which its tokens are bound (RFC 9449).

A proof is a JWT in the header DPoP, signed with the key whose public half it carries, for one request: this method,
this address, a nonce of ours and, where a token is presented, that token. `read` judges it; `spend` uses it up, once
for all workers, when it is known who sends it.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from cryptography.exceptions import InvalidSignature
from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from authority.client_authentication import assertions, replay
from authority.client_directory import ClientEntry
from authority.models import TokenFamily
from authority.protocol.errors import InvalidDpopProofError, InvalidGrantError, UseDpopNonceError
from authority.telemetry import request_trace
from authority.telemetry.reasons import Reason
from clients.models import Client
from core import clock
from core.jose import base64url, jwk, jws
from core.jose.algorithms import ALGORITHMS
from core.jose.jws import SignedJWT
from core.timefmt import is_numeric_date

HEADER = "HTTP_DPOP"
TYPE = "dpop+jwt"
MAX_LENGTH = 8 * 1024
MAX_JTI = 256
WINDOW = 300  # seconds that a proof's iat may differ from now; its nonce says more exactly that it is fresh
NONCE_LIFE = 120  # seconds; one nonce is good for one to two of them
THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")  # BASE64URL(SHA-256), RFC 7638
UNRESERVED = re.compile(r"%([46][1-9a-f]|[57][0-9a]|3[0-9]|2[de]|5f|7e)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds: the thumbprint of its key, and what makes it this one proof."""

    jkt: str
    jti: str
    end: float  # seconds since 1970


def refusal(kind: Reason, description: str) -> InvalidDpopProofError:
    """Return the error, after noting why."""
    request_trace.set_reason(kind)
    return InvalidDpopProofError(description)


# -- Reading ----------------------------------------------------------------------------------------------------------


def read(request: HttpRequest, token: str | None = None) -> Proof | None:
    """Return the proof that the request carries, or None; `token` is the access token that comes with it.

    Raises InvalidDpopProofError, and UseDpopNonceError for a proof that is good but for its nonce (section 4.3).
    """
    text = request.META.get(HEADER)
    if text is None:
        return None
    proof, key = _signed(text)
    claims = proof.claims
    jti, issued = claims.get("jti"), claims.get("iat")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI:
        raise refusal("dpop_claims", f"The DPoP proof needs jti, a text of 1 to {MAX_JTI} characters.")
    if not is_numeric_date(issued):
        raise refusal("dpop_claims", "The DPoP proof needs iat, the time when it was issued.")
    if claims.get("htm") != request.method:
        raise refusal("dpop_method", "The DPoP proof is for another method (htm).")
    if not is_place(claims.get("htu"), settings.ISSUER + request.path):
        raise refusal("dpop_place", "The DPoP proof is for another URL (htu). It must name the URL that it is sent to.")
    if token is not None and claims.get("ath") != base64url.encode(hashlib.sha256(token.encode()).digest()):
        raise refusal("dpop_token", "The DPoP proof is for another access token (ath).")
    if abs(clock.seconds() - issued) > WINDOW:
        raise refusal(
            "dpop_time", "The DPoP proof is too old, or from the future (iat). Check the clock of its issuer."
        )
    if not _is_fresh(claims.get("nonce")):
        request_trace.set_reason("dpop_nonce")
        raise UseDpopNonceError
    return Proof(jkt=_thumbprint(key), jti=jti, end=issued + WINDOW)


def _signed(text: str) -> tuple[SignedJWT, jwk.PublicKey]:
    """Return the parts of a proof and the key that signed it. Raises InvalidDpopProofError."""
    try:
        proof = jws.parse(text, max_length=MAX_LENGTH)  # two proofs in one header have more parts, or a comma
    except jws.MalformedJWT:
        raise refusal("dpop_malformed", "The DPoP header must hold one proof: a JWT of three parts.") from None
    algorithm = proof.header.get("alg")
    if proof.header.get("typ") != TYPE:
        raise refusal("dpop_type", f"The DPoP proof's typ must be {TYPE}.")
    if algorithm not in ALGORITHMS or "crit" in proof.header:
        raise refusal("dpop_algorithm", "The DPoP proof is signed with an algorithm that is not served (alg).")
    try:
        key = jwk.public_key(proof.header.get("jwk"))
        if algorithm not in jwk.algorithms_for(key):
            raise jwk.UnfitKey("The key does not fit the algorithm.")
    except jwk.UnfitKey:
        raise refusal("dpop_key", "The DPoP proof's jwk must be a public key that fits its alg.") from None
    try:
        jws.verify_signature(key, algorithm, proof.signature, proof.signing_input)
    except InvalidSignature:
        raise refusal("dpop_signature", "The DPoP proof is not signed with the key that it carries.") from None
    return proof, key


def is_place(htu: Any, expected: str) -> bool:
    """Say whether both are one address, but for query and fragment (section 4.3, RFC 3986 sections 6.2.2 and 6.2.3)."""
    try:
        return isinstance(htu, str) and _normal(htu) == _normal(expected)
    except ValueError:
        return False


def _normal(uri: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(uri)
    if "@" in parts.netloc:
        raise ValueError("no address of ours holds a user")
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    path = UNRESERVED.sub(lambda match: chr(int(match[1], 16)), parts.path)
    return parts.scheme, parts.hostname or "", port, urlsplit(urljoin("http://any/", path)).path


def _thumbprint(key: jwk.PublicKey) -> str:
    """Return the key's name, the same however its JWK is written (RFC 7638)."""
    return jwk.thumbprint(jwk.public_members(key))


# -- Nonces -----------------------------------------------------------------------------------------------------------


def nonce(ahead: int = 0) -> str:
    """Return the nonce of the moment: the same in every worker, unknown before its time, kept nowhere (section 8).

    Every answer to a request with a proof carries it (section 8.2).
    """
    period = int(clock.seconds()) // NONCE_LIFE + ahead
    return base64url.encode(
        salted_hmac("authority.client_authentication.dpop", str(period), algorithm="sha256").digest()[:18]
    )


def _is_fresh(sent: Any) -> bool:
    """Say whether we gave the nonce lately; another machine of ours may be a little ahead."""
    if not isinstance(sent, str):
        return False
    return any(hmac.compare_digest(nonce(ahead).encode(), sent.encode(errors="replace")) for ahead in (-1, 0, 1))


# -- Using ------------------------------------------------------------------------------------------------------------


def spend(proof: Proof) -> None:
    """Use the proof up (section 11.1). Raises InvalidDpopProofError when it was before, however much runs at once."""
    if not replay.spend("DPoP proof", proof.jkt, proof.jti, until=proof.end + assertions.LEEWAY):
        raise refusal("dpop_replayed", "This DPoP proof was used before (jti). Create a new one for each request.")


def bind(entry: ClientEntry, proof: Proof | None) -> str | None:
    """Return the key that the client's new tokens are bound to, or None for bearer tokens.

    Raises InvalidDpopProofError for a proof that was used, and for none from a client that must send one (section 5.2).
    """
    if proof is not None:
        spend(proof)
        return proof.jkt
    if entry.client.dpop_bound_access_tokens:
        raise refusal("dpop_missing", "This client's tokens are bound to a key. Send a proof in the header DPoP.")
    return None


def bind_code(proof: Proof, asked: str | None) -> str:
    """Return the key that the code of a pushed request is bound to (section 10.1). Raises InvalidDpopProofError."""
    spend(proof)
    if asked not in (None, proof.jkt):
        raise refusal("dpop_other_key", "dpop_jkt names another key than the DPoP proof shows.")
    return proof.jkt


def bind_or_require(client: Client, family: TokenFamily, jkt: str | None) -> None:
    """Require the key that the family is bound to, and bind it to the first that comes; the caller saves it.

    A public client proves itself by this key alone. A confidential one may change it, but not do without (section 5).
    Raises InvalidDpopProofError without a proof, InvalidGrantError for another key.
    """
    if family.dpop_jkt:
        require_key(family.dpop_jkt if client.is_public or jkt is None else "", jkt)
    elif jkt is not None:
        family.dpop_jkt = jkt


def require_key(bound: str, jkt: str | None) -> None:
    """Require the key that a code or refresh token is bound to, if it is. Raises as above."""
    if not bound or bound == jkt:
        return
    if jkt is None:
        raise refusal("dpop_downgrade", "The grant is bound to a key. Send a proof in the header DPoP.")
    request_trace.set_reason("dpop_other_key")
    raise InvalidGrantError("The grant is bound to another key than the DPoP proof shows.")
