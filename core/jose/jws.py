"""Compact JSON Web Signatures, made and checked with `cryptography` alone (RFC 7515, RFC 7518, RFC 8037)."""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from core.jose.algorithms import SigningAlgorithm

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | Ed25519PublicKey
RSA_BITS = 2048
MAX_TOKEN = 16 * 1024
KID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what we name keys; nothing else reaches the database
SHA256 = hashes.SHA256()
COMPACT = json.JSONEncoder(separators=(",", ":"))
ECDSA = ec.ECDSA(SHA256)
PKCS1 = padding.PKCS1v15()
PSS = padding.PSS(mgf=padding.MGF1(SHA256), salt_length=32)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, opened, with the name under which its public half is published."""

    kid: str
    algorithm: str
    private_key: PrivateKey = field(repr=False)


def generate(algorithm: str) -> PrivateKey:
    """Return a new private key for the algorithm."""
    if algorithm == SigningAlgorithm.ES256:
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == SigningAlgorithm.EDDSA:
        return Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)


# -- Tokens -----------------------------------------------------------------------------------------------------------


def encode(claims: dict[str, Any], signer: Signer, *, typ: str) -> str:
    """Return the claims as a signed JWT whose header says what it is for (RFC 8725 section 3.11)."""
    return seal(COMPACT.encode(claims), signer, typ=typ)


def seal(claims: str, signer: Signer, *, typ: str) -> str:
    """Return the claims, which are JSON already, as such a JWT."""
    signed = f"{_packed_header(typ, signer.algorithm, signer.kid)}.{to_base64(claims.encode())}"
    return f"{signed}.{to_base64(sign(signer, signed.encode()))}"


def decode(token: str, find_key: Callable[[str], dict[str, Any] | None], *, typ: str) -> dict[str, Any] | None:
    """Return the claims of a token that one of our keys signed for this purpose, or None.

    `find_key` gives the public JWK of a kid. Its `alg` decides, not the token's header (RFC 8725 section 3.1). The
    caller judges the claims.
    """
    try:
        if len(token) > MAX_TOKEN:
            return None
        header_part, claims_part, signature_part = token.split(".")
        header = json.loads(from_base64(header_part))
        if header["typ"].lower() != typ.lower() or "crit" in header or not KID.fullmatch(header["kid"]):
            return None
        jwk = find_key(header["kid"])
        if jwk is None or header["alg"] != jwk["alg"]:
            return None
        verify(jwk, from_base64(signature_part), f"{header_part}.{claims_part}".encode())
        return cast("dict[str, Any]", json.loads(from_base64(claims_part)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidSignature):
        return None


def sign(signer: Signer, message: bytes) -> bytes:
    key = signer.private_key
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(message, ECDSA))
        return r.to_bytes(32) + s.to_bytes(32)
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    return key.sign(message, PSS if signer.algorithm == SigningAlgorithm.PS256 else PKCS1, SHA256)


def verify(jwk: dict[str, Any], signature: bytes, message: bytes) -> None:
    """Raise InvalidSignature unless the key made the signature."""
    key = _public_key(jwk["kty"], *(jwk[name] for name in ("x", "y", "e", "n") if name in jwk))
    if isinstance(key, ec.EllipticCurvePublicKey):
        if len(signature) != 64:
            raise InvalidSignature
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        key.verify(der, message, ECDSA)
    elif isinstance(key, Ed25519PublicKey):
        key.verify(signature, message)
    else:
        key.verify(signature, message, PSS if jwk["alg"] == SigningAlgorithm.PS256 else PKCS1, SHA256)


@lru_cache(maxsize=64)
def _public_key(kty: str, *members: str) -> PublicKey:
    """Return the key of a public JWK of ours: its x and y, its x, or its e and n."""
    if kty == "EC":
        x, y = members
        return ec.EllipticCurvePublicNumbers(_number(x), _number(y), ec.SECP256R1()).public_key()
    if kty == "OKP":
        return Ed25519PublicKey.from_public_bytes(from_base64(members[0]))
    e, n = members
    return rsa.RSAPublicNumbers(_number(e), _number(n)).public_key()


# -- Keys -------------------------------------------------------------------------------------------------------------


def public_jwk(key: PrivateKey, algorithm: str) -> dict[str, str]:
    """Return the public half as a JWK, named by its thumbprint (RFC 7517, RFC 7638)."""
    members = public_members(key.public_key())
    return members | {"kid": thumbprint(members), "alg": algorithm, "use": "sig"}


def public_members(key: PublicKey) -> dict[str, str]:
    """Return the members that make up a public key, and no others (RFC 7638 section 3.2)."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        point, size = key.public_numbers(), (key.curve.key_size + 7) // 8
        x, y = (to_base64(coordinate.to_bytes(size)) for coordinate in (point.x, point.y))
        return {"crv": f"P-{key.curve.key_size}", "kty": "EC", "x": x, "y": y}
    if isinstance(key, Ed25519PublicKey):
        return {"crv": "Ed25519", "kty": "OKP", "x": to_base64(key.public_bytes_raw())}
    numbers = key.public_numbers()
    return {"e": to_base64(_minimal(numbers.e)), "kty": "RSA", "n": to_base64(_minimal(numbers.n))}


def thumbprint(members: dict[str, str]) -> str:
    """Return the name that a key has everywhere, given the members that make it up (RFC 7638 section 3)."""
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return to_base64(hashlib.sha256(text.encode()).digest())


@lru_cache(maxsize=64)
def _packed_header(typ: str, algorithm: str, kid: str) -> str:
    return pack({"typ": typ, "alg": algorithm, "kid": kid})


def pack(part: dict[str, Any]) -> str:
    return to_base64(COMPACT.encode(part).encode())


def to_base64(data: bytes) -> str:
    return base64.b64encode(data, b"-_").rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """Return the bytes. Raises ValueError for anything but canonical unpadded base64url, so a token reads one way."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if to_base64(data) != text:
        raise ValueError("not canonical")
    return data


def _number(text: str) -> int:
    return int.from_bytes(from_base64(text))


def _minimal(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8)
