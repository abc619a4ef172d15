"""Generated key pairs for private_key_jwt; the private key is shown once and not stored."""

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

ALGORITHM = "ES256"


@dataclass(frozen=True)
class KeyPair:
    kid: str
    public: dict[str, str]
    pem: str = field(repr=False)

    @property
    def jwk(self) -> str:
        """The private key as a JSON Web Key (RFC 7517)."""
        key = load_pem_private_key(self.pem.encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        d = _to_base64(key.private_numbers().private_value.to_bytes(32))
        return json.dumps(self.public | {"d": d}, indent=2)


def generate() -> KeyPair:
    """Generate a pair for ALGORITHM."""
    return _key_pair(ec.generate_private_key(ec.SECP256R1()))


def from_pem(pem: str) -> KeyPair | None:
    """Return the pair of a P-256 private key in PEM, or None."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        return None
    return _key_pair(key) if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1" else None


def _key_pair(key: ec.EllipticCurvePrivateKey) -> KeyPair:
    """Return the pair; the first 16 characters of its thumbprint are the kid (RFC 7638)."""
    numbers = key.public_key().public_numbers()
    members = {
        "crv": "P-256",
        "kty": "EC",
        "x": _to_base64(numbers.x.to_bytes(32)),
        "y": _to_base64(numbers.y.to_bytes(32)),
    }
    kid = _to_base64(hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest())[:16]
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return KeyPair(kid, members | {"kid": kid, "alg": ALGORITHM, "use": "sig"}, pem)


def with_key(keys: dict[str, Any] | None, pair: KeyPair) -> dict[str, Any]:
    """Return the key set with the pair's public key added at its end."""
    return {"keys": [*(keys or {}).get("keys", []), pair.public]}


def _to_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
