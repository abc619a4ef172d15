"""JWTs that a provider signs for us: ID tokens and logout tokens."""

from typing import Any

from cryptography.exceptions import InvalidSignature

from connections.relying_party.failures import SignInFailed
from core import clock
from core.http_fetch import documents
from core.http_fetch.target import FetchError
from core.jose import jwk, jws
from core.jose.algorithms import ALGORITHMS
from core.jose.jws import SignedJWT
from core.timefmt import is_numeric_date

LEEWAY = 60  # seconds that clocks may differ
# Headers that bring keys along, or ask for what we do not know (RFC 8725 section 3.10, RFC 7515 section 4.1.11).
REFUSED_HEADERS = ("jku", "jwk", "x5u", "crit")


def verify(text: str, *, jwks_uri: str, types: frozenset[str]) -> dict[str, Any]:
    """Return the claims of a token that one of the provider's keys signed. Raises SignInFailed.

    `types` are the values of typ that it may have, in lower case, "" for none (RFC 8725 section 3.11).
    """
    try:
        token = jws.parse(text)
    except jws.MalformedJWT as error:
        raise SignInFailed("id_token", str(error)) from None
    header = token.header
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in types:
        raise SignInFailed("id_token", "Its typ says that it is another kind of token.")
    if any(name in header for name in REFUSED_HEADERS) or not isinstance(kid, str | None):
        raise SignInFailed("id_token", "Its header names what is not accepted.")
    if algorithm not in ALGORITHMS:
        raise SignInFailed("algorithm", f"alg is {str(algorithm)[:40]}.")
    candidates = _candidates(jwks_uri, kid, algorithm)
    if not any(_signed(token, key, algorithm) for key in candidates):
        raise SignInFailed("signature")
    return token.claims


def _candidates(jwks_uri: str, kid: str | None, algorithm: str) -> list[dict[str, Any]]:
    """Return the keys that may have signed. An unknown kid makes the set be read anew, once a minute at most."""
    try:
        found = jwk.candidates(documents.document(jwks_uri), kid, algorithm)
        if not found:
            found = jwk.candidates(documents.document(jwks_uri, again=True), kid, algorithm)
    except FetchError as error:
        raise SignInFailed("busy" if error.reason == "busy" else "unreachable", f"Its keys: {error}") from None
    if not found:
        raise SignInFailed("key", f"kid is {str(kid)[:100]}.")
    return found[: jwk.MAX_KEYS]


def _signed(token: SignedJWT, key: dict[str, Any], algorithm: str) -> bool:
    try:
        jws.verify_foreign(token, key, algorithm)
    except InvalidSignature:
        return False
    return True


def judge_issuer_and_audience(claims: dict[str, Any], issuer: str, client_id: str) -> None:
    """Require our provider and ourselves (OpenID Connect Core section 3.1.3.7, rules 2 to 5). Raises SignInFailed."""
    if claims.get("iss") != issuer:
        raise SignInFailed("issuer", f"iss is {str(claims.get('iss'))[:200]}.")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp")
    if client_id not in audiences or (party is not None and party != client_id):
        raise SignInFailed("audience", f"aud is {str(audience)[:150]}, azp is {str(party)[:100]}.")
    if len(audiences) > 1 and party is None:
        raise SignInFailed("audience", "aud names several, and azp is missing.")


def judge_times(claims: dict[str, Any], *, needs_end: bool = True) -> None:
    """Require that it is valid now, by a clock that differs by a minute at most. Raises SignInFailed."""
    now = clock.seconds()
    end, issued = moment(claims, "exp"), moment(claims, "iat")
    if (needs_end and end is None) or issued is None:
        raise SignInFailed("id_token", "exp or iat is missing.")
    begin = moment(claims, "nbf")
    if (end is not None and end + LEEWAY <= now) or max(issued, begin or 0) > now + LEEWAY:
        raise SignInFailed("clock", f"iat is {issued - now:+.0f} s from our clock.")


def moment(claims: dict[str, Any], name: str) -> float | None:
    """Return a time in seconds since 1970, or None where there is none. Raises SignInFailed."""
    value = claims.get(name)
    if value is None:
        return None
    if not is_numeric_date(value):
        raise SignInFailed("id_token", f"{name} is no number of seconds.")
    return float(value)
