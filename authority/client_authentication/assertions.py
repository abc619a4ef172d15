"""JWTs by which a client proves itself: read, signature checked, claims judged (RFC 7523 section 3, RFC 8725).

A refusal has a short reason for the client's own people. Until the signature has proven who sent it, the wire says
nothing more than invalid_client.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from authority.protocol.errors import InvalidClientError
from authority.telemetry import request_trace
from clients.federation import matching
from core.http_fetch import documents
from core.http_fetch.target import FetchError
from core.jose import jwk
from core.jose.jws import from_base64

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_LENGTH = 16 * 1024
LEEWAY = 60  # seconds that clocks may differ
LONGEST = 3600  # seconds from now to the end of an assertion that a client made itself
# What such a JWT may say that it is. Others, such as at+jwt or logout+jwt, were made for something else
# (RFC 8725 section 3.11).
TYPES = {"", "jwt", "jose", "client-authentication+jwt"}
# Headers that bring keys along, or ask for what we do not know (RFC 8725 section 3.10, RFC 7515 section 4.1.11).
REFUSED_HEADERS = ("jku", "jwk", "x5u", "crit")
HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}

KeySet = Callable[[bool], dict[str, Any]]  # the keys; read anew when asked to


@dataclass(frozen=True, slots=True)
class Assertion:
    """A JWT in its parts; what it claims is unproven."""

    header: dict[str, Any]
    claims: dict[str, Any]
    message: bytes
    signature: bytes

    def __repr__(self) -> str:
        return "<Assertion>"

    def claim(self, name: str) -> str:
        """Return a claim that is a text, or nothing."""
        value = self.claims.get(name)
        return value if isinstance(value, str) else ""


def refusal(kind: str, description: str | None = None, **detail: str) -> InvalidClientError:
    """Return the error, after noting why: `kind` is a key of authority/diagnostics/problem_messages/assertions.py."""
    request_trace.because(kind, **detail)
    return InvalidClientError(description)


# -- Reading ----------------------------------------------------------------------------------------------------------


def read(text: str) -> Assertion:
    """Return the parts of a compact JWS. Raises InvalidClientError for anything else."""
    try:
        if len(text) > MAX_LENGTH:
            raise ValueError("too long")
        header, claims, signature = text.split(".")
        message = f"{header}.{claims}".encode("ascii")
        return Assertion(members(header), members(claims), message, from_base64(signature))
    except (ValueError, RecursionError):
        raise refusal("assertion_malformed") from None


def members(part: str) -> dict[str, Any]:
    """Return a part's JSON object. Raises ValueError, also for a repeated name, which reads in two ways."""
    found = json.loads(from_base64(part), object_pairs_hook=_once, parse_constant=_no_number)
    if not isinstance(found, dict):
        raise ValueError("no object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is repeated")
    return found


def _no_number(text: str) -> float:
    raise ValueError(text)


# -- Signature --------------------------------------------------------------------------------------------------------


def prove(assertion: Assertion, keys: KeySet, algorithms: tuple[str, ...] = jwk.ALGORITHMS) -> None:
    """Check the header and the signature. Raises InvalidClientError.

    A kid that the keys lack makes them be read anew, which a set that lies elsewhere does once a minute at most.
    """
    header = assertion.header
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if algorithm not in jwk.ALGORITHMS:
        raise refusal("assertion_algorithm", used=str(algorithm))
    if algorithm not in algorithms:
        raise refusal("assertion_other_algorithm", used=str(algorithm), registered=algorithms[0])
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in TYPES:  # RFC 7515 section 4.1.9
        raise refusal("assertion_type", used=str(typ))
    for name in REFUSED_HEADERS:
        if name in header:
            raise refusal("assertion_header", name=name)
    if kid is not None and not isinstance(kid, str):
        raise refusal("assertion_malformed")
    found = jwk.candidates(_known(keys, False), kid, algorithm)
    if not found and kid is not None:
        found = jwk.candidates(_known(keys, True), kid, algorithm)
    if len(found) != 1:
        raise refusal("assertion_key_unknown" if not found else "assertion_key_unnamed", kid=kid or "", used=algorithm)
    try:
        verify(jwk.public_key(found[0]), algorithm, assertion.signature, assertion.message)
    except InvalidSignature:
        raise refusal("assertion_signature", kid=kid or "") from None


def _known(keys: KeySet, again: bool) -> dict[str, Any]:
    try:
        return keys(again)
    except FetchError as error:
        raise refusal(
            "assertion_keys_away",
            "The keys that this assertion is signed with cannot be fetched now. Try again later.",
            fault=str(error),
        ) from None


def published(address: str) -> KeySet:
    """Return the keys at an address, as fetching keeps them."""
    return lambda again: documents.document(address, again=again)


def given(keys: dict[str, Any]) -> KeySet:
    """Return keys that are here already."""
    return lambda _: keys


def verify(key: jwk.PublicKey, algorithm: str, signature: bytes, message: bytes) -> None:
    """Raise InvalidSignature unless the key made the signature (RFC 7518 section 3, RFC 8037 section 3.1)."""
    if isinstance(key, rsa.RSAPublicKey):
        digest = HASHES[algorithm[2:]]
        pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        key.verify(signature, message, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        size = (key.curve.key_size + 7) // 8
        if len(signature) != 2 * size:
            raise InvalidSignature
        der = encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
        key.verify(der, message, ec.ECDSA(HASHES[algorithm[2:]]))
    else:
        key.verify(signature, message)


# -- Claims -----------------------------------------------------------------------------------------------------------


def judge(assertion: Assertion, audience: str) -> float:
    """Check whom an assertion that a client made is for and when it holds; return its end.

    Raises InvalidClientError. The sender has proven itself, so that the answer may say what is wrong.
    """
    sent = assertion.claims.get("aud")
    if sent not in (audience, [audience]):
        raise refusal(
            "assertion_audience", f"The assertion's aud must be {audience} and nothing else.", sent=matching.said(sent)
        )
    return judge_times(assertion, LONGEST)


def judge_times(assertion: Assertion, longest: int) -> float:
    """Return when the assertion ends. Raises InvalidClientError unless it holds now, and not much longer."""
    claims, now = assertion.claims, time.time()
    end = _moment(claims, "exp")
    if end is None:
        raise refusal("assertion_no_end", "The assertion needs exp, the time at which it ends.")
    if end + LEEWAY <= now:
        raise refusal("assertion_ended", "The assertion has ended (exp). Make a new one for each request.")
    if end - LEEWAY > now + longest:
        raise refusal("assertion_too_long", f"The assertion may end {longest} seconds from now at the latest (exp).")
    for name in ("iat", "nbf"):
        begin = _moment(claims, name)
        if begin is not None and begin > now + LEEWAY:
            raise refusal(
                "assertion_future", f"The assertion begins in the future ({name}). Check the clock that made it."
            )
    return end


def _moment(claims: dict[str, Any], name: str) -> float | None:
    """Return a time in seconds since 1970, or None where there is none. Raises InvalidClientError."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**40:
        raise refusal("assertion_time", f"The assertion's {name} is no number of seconds since 1970.")
    return float(value)
