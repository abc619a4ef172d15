"""Compact JSON Web Signatures whose payload is a JSON object: JWTs (RFC 7515, RFC 7518, RFC 7519, RFC 8037, RFC 8725).

What this server signs, and what clients send with each request, is signed and verified with `cryptography` alone, which
is fastest. `verify_foreign` leaves the same work to jwcrypto, for what seldom comes and somebody else made.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from jwcrypto.common import JWException
from jwcrypto.jws import JWS

from core import foreign_json
from core.jose import base64url, jwk
from core.jose.algorithms import ECDSA, HASHES, RSA_PADDINGS, SigningAlgorithm
from core.jose.jwk import PrivateKey, PublicKey

RSA_BITS = 2048
MAX_TOKEN = 16 * 1024  # characters
KID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # of our own keys; nothing else reaches the database
COMPACT = json.JSONEncoder(separators=(",", ":"))
Part = Literal["token", "header", "payload", "signature"]
Problem = Literal["too_long", "parts", "base64url", "json", "no_object"]


class MalformedJWT(ValueError):
    """The text is no compact JWS with a JSON object as payload; `part` and `problem` say where and why."""

    def __init__(self, part: Part, problem: Problem) -> None:
        super().__init__(f"{part}: {problem}")
        self.part = part
        self.problem = problem


@dataclass(frozen=True, slots=True)
class SignedJWT:
    """A JWT in its parts (RFC 7515 section 7.1). Nothing that it says is proven before its signature is verified."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]
    signature: bytes

    def __repr__(self) -> str:
        return "<SignedJWT>"

    @property
    def signing_input(self) -> bytes:
        """RFC 7515 section 2."""
        return self.text.rpartition(".")[0].encode("ascii")

    def claim(self, name: str) -> str:
        """Return a claim that is a string, or "" for any other."""
        value = self.claims.get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key of ours, decrypted, with the kid under which its public half is published."""

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


# -- Tokens of others -------------------------------------------------------------------------------------------------


def parse(text: str, *, max_length: int = MAX_TOKEN) -> SignedJWT:
    """Return the parts of a compact JWS; the caller verifies the signature. Raises MalformedJWT."""
    header, payload, signature = _split(text, max_length)
    return SignedJWT(text, _json_object("header", header), _json_object("payload", payload), _octets(signature))


def _split(text: str, max_length: int) -> list[str]:
    if len(text) > max_length:
        raise MalformedJWT("token", "too_long")
    parts = text.split(".", 3)
    if len(parts) != 3:
        raise MalformedJWT("token", "parts")
    return parts


def _json_object(name: Literal["header", "payload"], part: str) -> dict[str, Any]:
    try:
        data = base64url.decode(part)
    except ValueError:
        raise MalformedJWT(name, "base64url") from None
    try:
        found = foreign_json.loads(data, max_bytes=len(data))
    except foreign_json.InvalidJSON:
        raise MalformedJWT(name, "json") from None
    if not isinstance(found, dict):
        raise MalformedJWT(name, "no_object")
    return found


def _octets(part: str) -> bytes:
    try:
        return base64url.decode(part)
    except ValueError:
        raise MalformedJWT("signature", "base64url") from None


# -- Signatures -------------------------------------------------------------------------------------------------------


def verify(token: SignedJWT, key: dict[str, Any], algorithm: str) -> None:
    """Raise InvalidSignature unless the key of somebody else's JWK, which fits the algorithm, signed the token."""
    verify_signature(jwk.public_key(key), algorithm, token.signature, token.signing_input)


def verify_foreign(token: SignedJWT, key: dict[str, Any], algorithm: str) -> None:
    """Do what `verify` does by jwcrypto, which shares no code with us."""
    text = f"{token.signing_input.decode()}.{base64url.encode(token.signature)}"
    try:
        JWS().deserialize(text, jwk.foreign_key(key), algorithm)
    except (JWException, jwk.UnfitKey):
        raise InvalidSignature from None


def verify_signature(key: PublicKey, algorithm: str, signature: bytes, message: bytes) -> None:
    """Raise InvalidSignature unless the key made the signature (RFC 7518 section 3, RFC 8037 section 3.1).

    The algorithm is one that fits the key.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        size = (key.curve.key_size + 7) // 8
        if len(signature) != 2 * size:
            raise InvalidSignature
        der = encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
        key.verify(der, message, ECDSA[algorithm])
    elif isinstance(key, Ed25519PublicKey):
        key.verify(signature, message)
    else:
        key.verify(signature, message, RSA_PADDINGS[algorithm], HASHES[algorithm])


def sign(signer: Signer, message: bytes) -> bytes:
    """Return the signature in the form of RFC 7518 section 3."""
    key, algorithm = signer.private_key, signer.algorithm
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(message, ECDSA[algorithm]))
        return r.to_bytes(32) + s.to_bytes(32)
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    return key.sign(message, RSA_PADDINGS[algorithm], HASHES[algorithm])


# -- Tokens of ours ---------------------------------------------------------------------------------------------------


def encode(claims: dict[str, Any], signer: Signer, *, typ: str) -> str:
    """Return the claims as a signed JWT of this type (RFC 8725 section 3.11)."""
    return encode_json(COMPACT.encode(claims), signer, typ=typ)


def encode_json(claims: str, signer: Signer, *, typ: str) -> str:
    """Return claims that are JSON already as such a JWT."""
    signing_input = f"{_encoded_header(typ, signer.algorithm, signer.kid)}.{base64url.encode(claims.encode())}"
    return f"{signing_input}.{base64url.encode(sign(signer, signing_input.encode()))}"


def decode(token: str, find_key: Callable[[str], dict[str, Any] | None], *, typ: str) -> dict[str, Any] | None:
    """Return the claims of a token that one of our keys signed for this purpose, or None.

    `find_key` gives the public JWK of a kid. Its `alg` decides, not the token's header (RFC 8725 section 3.1). The
    caller judges the claims.
    """
    try:
        header_part, claims_part, signature_part = _split(token, MAX_TOKEN)
        header = _json_object("header", header_part)
        if header["typ"].lower() != typ.lower() or "crit" in header or not KID.fullmatch(header["kid"]):
            return None
        key = find_key(header["kid"])
        if key is None or header["alg"] != key["alg"]:
            return None
        message = f"{header_part}.{claims_part}".encode()
        verify_signature(jwk.own_public_key(key), key["alg"], base64url.decode(signature_part), message)
        return cast("dict[str, Any]", json.loads(base64url.decode(claims_part)))  # which we wrote ourselves
    except (ValueError, TypeError, KeyError, AttributeError, InvalidSignature):
        return None


@lru_cache(maxsize=64)
def _encoded_header(typ: str, algorithm: str, kid: str) -> str:
    return pack({"typ": typ, "alg": algorithm, "kid": kid})


def pack(part: dict[str, Any]) -> str:
    """Return the object as one part of a compact JWS."""
    return base64url.encode(COMPACT.encode(part).encode())
