"""JWTs by which a client proves itself: read, signature checked, claims judged (RFC 7523 section 3, RFC 8725).

A refusal has a short reason for the client's own people. Until the signature has proven who sent it, the wire says
nothing more than invalid_client.
"""

from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidSignature

from authority.protocol.errors import InvalidClientError
from authority.telemetry import request_trace
from authority.telemetry.reasons import Reason
from clients.federation import matching
from core import clock
from core.http_fetch import documents
from core.http_fetch.target import FetchError
from core.jose import jwk, jws
from core.jose.algorithms import ALGORITHMS
from core.jose.jws import SignedJWT
from core.timefmt import is_numeric_date

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_LENGTH = 16 * 1024
LEEWAY = 60  # seconds that clocks may differ
LONGEST = 3600  # seconds from now to the end of an assertion that a client made itself
# What such a JWT may say that it is. Others, such as at+jwt or logout+jwt, were made for something else
# (RFC 8725 section 3.11).
TYPES = {"", "jwt", "jose", "client-authentication+jwt"}
# Headers that bring keys along, or ask for what we do not know (RFC 8725 section 3.10, RFC 7515 section 4.1.11).
REFUSED_HEADERS = ("jku", "jwk", "x5u", "crit")

KeySet = Callable[[bool], dict[str, Any]]  # the keys; read anew when asked to
Verify = Callable[[SignedJWT, dict[str, Any], str], None]  # jws.verify, or jws.verify_foreign


def refusal(kind: Reason, description: str | None = None, **detail: str) -> InvalidClientError:
    """Return the error, after noting why."""
    request_trace.set_reason(kind, **detail)
    return InvalidClientError(description)


# -- Reading ----------------------------------------------------------------------------------------------------------


def read(text: str) -> SignedJWT:
    """Return the parts of a compact JWS. Raises InvalidClientError for anything else."""
    try:
        return jws.parse(text, max_length=MAX_LENGTH)
    except jws.MalformedJWT:
        raise refusal("assertion_malformed") from None


# -- Signature --------------------------------------------------------------------------------------------------------


def prove(
    assertion: SignedJWT, keys: KeySet, algorithms: tuple[str, ...] = ALGORITHMS, *, verify: Verify = jws.verify
) -> None:
    """Check the header, then the signature by `verify`. Raises InvalidClientError.

    A kid that the keys lack makes them be read anew, which a set that lies elsewhere does once a minute at most.
    """
    header = assertion.header
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if algorithm not in ALGORITHMS:
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
        verify(assertion, found[0], algorithm)
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


# -- Claims -----------------------------------------------------------------------------------------------------------


def judge(assertion: SignedJWT, audience: str) -> float:
    """Check whom an assertion that a client made is for and when it holds; return its end.

    Raises InvalidClientError. The sender has proven itself, so that the answer may say what is wrong.
    """
    sent = assertion.claims.get("aud")
    if sent not in (audience, [audience]):
        raise refusal(
            "assertion_audience",
            f"The assertion's aud must be {audience} and nothing else.",
            sent=matching.display_claim(sent),
        )
    return judge_times(assertion, LONGEST)


def judge_times(assertion: SignedJWT, longest: int) -> float:
    """Return when the assertion ends. Raises InvalidClientError unless it holds now, and not much longer."""
    claims, now = assertion.claims, clock.seconds()
    end = _moment(claims, "exp")
    if end is None:
        raise refusal("assertion_no_end", "The assertion needs exp, the time at which it expires.")
    if end + LEEWAY <= now:
        raise refusal("assertion_ended", "The assertion has expired (exp). Create a new one for each request.")
    if end - LEEWAY > now + longest:
        raise refusal("assertion_too_long", f"The assertion must expire within {longest} seconds from now (exp).")
    for name in ("iat", "nbf"):
        begin = _moment(claims, name)
        if begin is not None and begin > now + LEEWAY:
            raise refusal(
                "assertion_future", f"The assertion is not valid yet ({name}). Check the clock of its issuer."
            )
    return end


def _moment(claims: dict[str, Any], name: str) -> float | None:
    """Return a time in seconds since 1970, or None where there is none. Raises InvalidClientError."""
    value = claims.get(name)
    if value is None:
        return None
    if not is_numeric_date(value):
        raise refusal("assertion_time", f"The assertion's {name} is no number of seconds since 1970.")
    return float(value)
