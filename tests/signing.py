"""Key pairs of other people, and the JWTs that they sign: by jwcrypto, which shares no code with ours."""

import base64
import json
import time
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwcrypto.jwa import JWA
from jwcrypto.jwk import JWK

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


class KeyPair:
    """One private key, for one algorithm."""

    def __init__(self, algorithm: str = "ES256", kid: str | None = "one", bits: int = 2048):
        self.algorithm = algorithm
        self.kid = kid
        if algorithm in CURVES:
            self.private: Any = ec.generate_private_key(CURVES[algorithm])
        elif algorithm in ("EdDSA", "Ed25519"):
            self.private = Ed25519PrivateKey.generate()
        else:
            self.private = rsa.generate_private_key(65537, bits)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half."""
        made = json.loads(JWK.from_pyca(self.private).export_public())
        made.pop("kid")
        return made | ({"kid": self.kid} if self.kid else {})

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [self.jwk]}

    def sign(self, claims: dict[str, Any], **headers: Any) -> str:
        """Return a JWT; a header that is None is left out."""
        head = {"kid": self.kid, "typ": "JWT", "alg": self.algorithm} | headers
        message = ".".join(pack({k: v for k, v in part.items() if v is not None}) for part in (head, claims))
        signer = JWA.signing_alg("EdDSA" if self.algorithm == "Ed25519" else self.algorithm)
        return f"{message}.{to_base64(signer.sign(JWK.from_pyca(self.private), message.encode()))}"


def own_claims(client_id: str, issuer: str, **changes: Any) -> dict[str, Any]:
    """Return what a client says of itself in an assertion; a claim that is None is left out."""
    now = int(time.time())
    return {
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "iat": now,
        "exp": now + 60,
        "jti": uuid.uuid4().hex,
    } | changes


def pack(part: dict[str, Any]) -> str:
    return to_base64(json.dumps(part).encode())


def to_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
