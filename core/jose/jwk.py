"""JSON Web Keys: reading, naming and judging them (RFC 7517, RFC 7518 section 6, RFC 7638, RFC 8037)."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

from core.jose import base64url
from core.jose.algorithms import ED25519_ALGORITHMS, RSA_ALGORITHMS

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey

CURVES: dict[str, tuple[ec.EllipticCurve, str]] = {
    "P-256": (ec.SECP256R1(), "ES256"),
    "P-384": (ec.SECP384R1(), "ES384"),
    "P-521": (ec.SECP521R1(), "ES512"),
}
PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e")
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192  # larger ones cost us more than they gain anybody
MAX_KEYS = 10
MAX_KID = 200
USES = ("sig", "jwt-svid")  # the second is what SPIFFE calls a key that signs JWTs


class UnfitKey(Exception):
    """A key that is refused; the text says why."""


# -- Reading ----------------------------------------------------------------------------------------------------------


def public_key(jwk: Any) -> PublicKey:
    """Return the public key that somebody else's JWK holds. Raises UnfitKey."""
    if not isinstance(jwk, dict):
        raise UnfitKey("A key is a JSON object.")
    if PRIVATE_MEMBERS & jwk.keys():
        raise UnfitKey("This is a private key. Keep it secret, and register the public key.")
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") not in USES or not isinstance(operations, list) or "verify" not in operations:
        raise UnfitKey("The key is not meant for signatures (use or key_ops).")
    try:
        key = _load(*_members(jwk))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnfitKey("The key cannot be read: a member is missing or malformed.") from None
    if jwk.get("alg") is not None and jwk["alg"] not in algorithms_for(key):
        raise UnfitKey(f"The key cannot make signatures with its alg. It fits {' or '.join(algorithms_for(key))}.")
    return key


def own_public_key(jwk: dict[str, Any]) -> PublicKey:
    """Return the key of a JWK that `public_jwk` made; the latest are kept."""
    return _load_own(*_members(jwk))


def _members(jwk: dict[str, Any]) -> tuple[str, ...]:
    """Return the kind of the key and the members that make it up. Raises KeyError and UnfitKey."""
    kty = jwk["kty"]
    if kty == "RSA":
        return kty, jwk["n"], jwk["e"]
    if kty == "EC":
        return kty, jwk["crv"], jwk["x"], jwk["y"]
    if kty == "OKP":
        return kty, jwk["crv"], jwk["x"]
    raise _unknown_kind()


def _load(kty: str, *members: str) -> PublicKey:
    """Return the key. Raises UnfitKey, TypeError and ValueError."""
    if kty == "RSA":
        n, e = map(_integer, members)
        if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
            raise UnfitKey(f"An RSA key has {MIN_RSA_BITS:,} to {MAX_RSA_BITS:,} bits; this has {n.bit_length():,}.")
        if not 65537 <= e < 2**32 or not e & n & 1:
            raise UnfitKey("The exponent of an RSA key is 65537.")
        return rsa.RSAPublicNumbers(e, n).public_key()
    curve, *coordinates = members
    if kty == "EC" and curve in CURVES:
        x, y = map(_integer, coordinates)
        return ec.EllipticCurvePublicNumbers(x, y, CURVES[curve][0]).public_key()
    if kty == "OKP" and curve == "Ed25519":
        return Ed25519PublicKey.from_public_bytes(_octets(coordinates[0]))
    raise _unknown_kind()


_load_own = lru_cache(maxsize=64)(_load)  # no key that a request brings along comes in here


def _unknown_kind() -> UnfitKey:
    return UnfitKey("Use an RSA key, an EC key on P-256, P-384 or P-521, or an Ed25519 key.")


def _integer(text: str) -> int:
    return int.from_bytes(_octets(text))


def _octets(text: str) -> bytes:
    if len(text) > 4096:
        raise ValueError("too long for a key")
    return base64url.decode(text)


# -- Naming -----------------------------------------------------------------------------------------------------------


def public_jwk(key: PrivateKey, algorithm: str) -> dict[str, str]:
    """Return the public half of our key as a JWK whose kid is its thumbprint (RFC 7517, RFC 7638)."""
    members = public_members(key.public_key())
    return members | {"kid": thumbprint(members), "alg": algorithm, "use": "sig"}


def public_members(key: PublicKey) -> dict[str, str]:
    """Return the members that make up a public key, and no others (RFC 7638 section 3.2)."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        point, size = key.public_numbers(), (key.curve.key_size + 7) // 8
        x, y = (base64url.encode(coordinate.to_bytes(size)) for coordinate in (point.x, point.y))
        return {"crv": f"P-{key.curve.key_size}", "kty": "EC", "x": x, "y": y}
    if isinstance(key, Ed25519PublicKey):
        return {"crv": "Ed25519", "kty": "OKP", "x": base64url.encode(key.public_bytes_raw())}
    numbers = key.public_numbers()
    return {"e": base64url.encode(_minimal(numbers.e)), "kty": "RSA", "n": base64url.encode(_minimal(numbers.n))}


def thumbprint(members: dict[str, str]) -> str:
    """Return the thumbprint of the key that these members make up, by SHA-256 (RFC 7638 section 3)."""
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return base64url.encode(hashlib.sha256(text.encode()).digest())


def _minimal(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8)


# -- Choosing ---------------------------------------------------------------------------------------------------------


def algorithms_for(key: PublicKey) -> tuple[str, ...]:
    """Return the algorithms whose signatures the key can verify (RFC 8725 section 3.1)."""
    if isinstance(key, rsa.RSAPublicKey):
        return RSA_ALGORITHMS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return tuple(algorithm for curve, algorithm in CURVES.values() if curve.name == key.curve.name)
    return ED25519_ALGORITHMS


def _fits(jwk: dict[str, Any], algorithm: str) -> bool:
    """Say whether the key is acceptable, and makes signatures with the algorithm."""
    try:
        able = algorithms_for(public_key(jwk))
    except UnfitKey:
        return False
    wanted = jwk.get("alg")
    return algorithm in able and (wanted is None or wanted == algorithm or {wanted, algorithm} <= {*ED25519_ALGORITHMS})


def candidates(jwks: dict[str, Any], kid: Any, algorithm: str) -> list[dict[str, Any]]:
    """Return the keys of a set that could have made a signature; without a `kid`, each that fits."""
    keys = jwks.get("keys")
    found = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    return [key for key in found if (kid is None or key.get("kid") == kid) and _fits(key, algorithm)]


# -- Registering ------------------------------------------------------------------------------------------------------


def check(jwks: Any) -> None:
    """Raise UnfitKey unless this set may be registered (RFC 7591 section 2, jwks)."""
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        raise UnfitKey('Give a JSON object with a list of keys: {"keys": [ … ]}.')
    keys = jwks["keys"]
    if len(keys) > MAX_KEYS:
        raise UnfitKey(f"Give at most {MAX_KEYS} keys.")
    for key in keys:
        public_key(key)
        foreign_key(key)
    kids = [key.get("kid") for key in keys]
    if any(kid is not None and not _is_name(kid) for kid in kids):
        raise UnfitKey(f"A kid is a text of 1 to {MAX_KID} characters.")
    if len(keys) > 1 and (None in kids or len(set(kids)) < len(kids)):
        raise UnfitKey("Give each key a kid of its own, so that an assertion can say which one signed it.")


def _is_name(kid: Any) -> bool:
    return isinstance(kid, str) and 0 < len(kid) <= MAX_KID and kid.isprintable()


def foreign_key(jwk: dict[str, Any]) -> JWK:
    """Return the public key as jwcrypto reads it, by the members that make it up alone. Raises UnfitKey.

    A set that is registered passes through both readers, since either may verify by it later (jws.verify_foreign).
    """
    try:
        return JWK(**{name: jwk[name] for name in PUBLIC_MEMBERS if name in jwk})
    except (JWException, ValueError, TypeError):
        raise UnfitKey("The key cannot be read: a member is missing or malformed.") from None
