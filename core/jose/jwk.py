"""Public keys of others, as JSON Web Keys: which we take, and for which algorithms (RFC 7517, RFC 7518, RFC 8037)."""

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey

RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
CURVES: dict[str, tuple[ec.EllipticCurve, str]] = {
    "P-256": (ec.SECP256R1(), "ES256"),
    "P-384": (ec.SECP384R1(), "ES384"),
    "P-521": (ec.SECP521R1(), "ES512"),
}
ED25519 = ("EdDSA", "Ed25519")  # the second names the curve too (RFC 9864); both are in use
# What a client may sign its assertions with. No secret is shared, so no HS256; and never none.
ALGORITHMS = (*RSA_ALGORITHMS, "ES256", "ES384", "ES512", *ED25519)
PRIVATE_MEMBERS = frozenset(("d", "p", "q", "dp", "dq", "qi", "oth", "k"))
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192  # larger ones cost us more than they gain anybody
MAX_KEYS = 10
MAX_KID = 200
USES = ("sig", "jwt-svid")  # the second is SPIFFE's word for a key that signs JWTs


class UnfitKey(Exception):
    """A key that we do not take; the text says why."""


def public_key(jwk: Any) -> PublicKey:
    """Return the key. Raises UnfitKey."""
    if not isinstance(jwk, dict):
        raise UnfitKey("A key is a JSON object.")
    if PRIVATE_MEMBERS & jwk.keys():
        raise UnfitKey("This is a private key. Keep it to yourself, and register its public half.")
    deeds = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") not in USES or not isinstance(deeds, list) or "verify" not in deeds:
        raise UnfitKey("The key is not meant for signatures (use or key_ops).")
    try:
        key = _read(jwk)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UnfitKey("The key cannot be read: a member is missing or malformed.") from None
    if jwk.get("alg") is not None and jwk["alg"] not in fitting(key):
        raise UnfitKey(f"The key cannot make signatures with its alg. It fits {' or '.join(fitting(key))}.")
    return key


def _read(jwk: dict[str, Any]) -> PublicKey:
    if jwk["kty"] == "RSA":
        n, e = _number(jwk["n"]), _number(jwk["e"])
        if not MIN_RSA_BITS <= n.bit_length() <= MAX_RSA_BITS:
            raise UnfitKey(f"An RSA key has {MIN_RSA_BITS:,} to {MAX_RSA_BITS:,} bits; this has {n.bit_length():,}.")
        if not 65537 <= e < 2**32 or not e & n & 1:
            raise UnfitKey("The exponent of an RSA key is 65537.")
        return rsa.RSAPublicNumbers(e, n).public_key()
    if jwk["kty"] == "EC" and jwk["crv"] in CURVES:
        curve = CURVES[jwk["crv"]][0]
        return ec.EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), curve).public_key()
    if jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519":
        return Ed25519PublicKey.from_public_bytes(_decoded(jwk["x"]))
    raise UnfitKey("Use an RSA key, an EC key on P-256, P-384 or P-521, or an Ed25519 key.")


def fitting(key: PublicKey) -> tuple[str, ...]:
    """Return the algorithms whose signatures the key can check (RFC 8725 section 3.1)."""
    if isinstance(key, rsa.RSAPublicKey):
        return RSA_ALGORITHMS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return tuple(algorithm for curve, algorithm in CURVES.values() if curve.name == key.curve.name)
    return ED25519


def _fits(jwk: dict[str, Any], algorithm: str) -> bool:
    """Say whether the key is one that we take, and makes signatures with the algorithm."""
    try:
        able = fitting(public_key(jwk))
    except UnfitKey:
        return False
    wanted = jwk.get("alg")
    return algorithm in able and (wanted is None or wanted == algorithm or {wanted, algorithm} == set(ED25519))


def candidates(jwks: dict[str, Any], kid: Any, algorithm: str) -> list[dict[str, Any]]:
    """Return the keys of a set that could have made a signature; without a `kid`, each that fits."""
    keys = jwks.get("keys")
    found = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    return [key for key in found if (kid is None or key.get("kid") == kid) and _fits(key, algorithm)]


def check(jwks: Any) -> None:
    """Raise UnfitKey unless a client may register this set (RFC 7591 section 2, jwks)."""
    if not isinstance(jwks, dict) or not isinstance(jwks.get("keys"), list):
        raise UnfitKey('Give a JSON object with a list of keys: {"keys": [ … ]}.')
    keys = jwks["keys"]
    if len(keys) > MAX_KEYS:
        raise UnfitKey(f"Give at most {MAX_KEYS} keys.")
    for key in keys:
        public_key(key)
    kids = [key.get("kid") for key in keys]
    if any(kid is not None and not _is_name(kid) for kid in kids):
        raise UnfitKey(f"A kid is a text of 1 to {MAX_KID} characters.")
    if len(keys) > 1 and (None in kids or len(set(kids)) < len(kids)):
        raise UnfitKey("Give each key a kid of its own, so that an assertion can say which one signed it.")


def _is_name(kid: Any) -> bool:
    return isinstance(kid, str) and 0 < len(kid) <= MAX_KID and kid.isprintable()


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text))


def _decoded(text: str) -> bytes:
    """Return unpadded base64url. Raises ValueError or TypeError."""
    if "=" in text or len(text) > 4096:
        raise ValueError("no base64url of a key")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
