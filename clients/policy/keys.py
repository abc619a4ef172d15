"""Public keys of a client (RFC 7517): usable, of a size that costs little, and with nothing private among them."""

import base64
import binascii
from typing import Any

from clients.errors import InvalidClientMetadata

MAX_KEYS = 20
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519",)}
COORDINATES = {"P-256": 32, "P-384": 48, "P-521": 66, "Ed25519": 32}
RSA_BITS = (2048, 8192)  # at least for safety, at most for what a signature check costs


def key_set(jwks: dict[str, Any]) -> None:
    """Refuse a set that no assertion could be checked with. Raises InvalidClientMetadata."""
    keys = jwks.get("keys")
    if set(jwks) != {"keys"} or not isinstance(keys, list):
        raise bad("write an object with one member, keys, a list of public keys.")
    if len(keys) > MAX_KEYS:
        raise bad(f"give at most {MAX_KEYS} keys.")
    for key in keys:
        public_key(key)
    names = [key["kid"] for key in keys if "kid" in key]
    if len(set(names)) != len(names):
        raise bad("give each key a kid of its own.")


def public_key(key: Any) -> None:
    if not isinstance(key, dict):
        raise bad("each key is an object.")
    if PRIVATE & key.keys():
        raise bad("this holds a private or shared key. Keep it to yourself, and send the public half alone.")
    for name in ("kid", "alg", "use"):
        if name in key and (not isinstance(key[name], str) or not 0 < len(key[name]) <= 200):
            raise bad(f"{name} of a key is a text of up to 200 characters.")
    if key.get("use", "sig") != "sig":
        raise bad("only keys for signatures (use “sig”) are of use here.")
    if key.get("kty") == "RSA":
        rsa_key(key)
    elif isinstance(key.get("kty"), str) and key["kty"] in CURVES:
        point(key, CURVES[key["kty"]])
    else:
        raise bad("a key is of kty RSA, EC or OKP.")


def rsa_key(key: dict[str, Any]) -> None:
    if not RSA_BITS[0] <= int.from_bytes(octets(key, "n")).bit_length() <= RSA_BITS[1]:
        raise bad(f"an RSA key has {RSA_BITS[0]} to {RSA_BITS[1]} bits.")
    if int.from_bytes(octets(key, "e")) < 3:
        raise bad("e of an RSA key is too small.")


def point(key: dict[str, Any], curves: tuple[str, ...]) -> None:
    curve = key.get("crv")
    if curve not in curves:
        raise bad(f"use one of the curves {', '.join(curves)}.")
    for name in ("x", "y") if key["kty"] == "EC" else ("x",):
        if len(octets(key, name)) != COORDINATES[curve]:
            raise bad(f"{name} of the {curve} key has the wrong length.")


def octets(key: dict[str, Any], name: str) -> bytes:
    text = key.get(name)
    if isinstance(text, str) and len(text) <= 2000 and text.isascii():
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            pass
    raise bad(f"{name} of a key cannot be read as base64url.")


def bad(what: str) -> InvalidClientMetadata:
    return InvalidClientMetadata(f"jwks: {what}", field="jwks")
