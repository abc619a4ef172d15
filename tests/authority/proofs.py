"""What a client does to prove that it holds a key (RFC 9449): a key, proofs, and requests that carry them."""

import base64
import hashlib
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.conf import settings

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
_rsa = []  # one for all tests, for it takes a while


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def pack(part) -> str:
    return b64(part if isinstance(part, bytes) else json.dumps(part).encode())


class Prover:
    """A key and the proofs that it makes; `nonce` is the latest that the server gave."""

    def __init__(self, algorithm="ES256"):
        self.algorithm = algorithm
        self.nonce = None
        if algorithm in CURVES:
            self.key = ec.generate_private_key(CURVES[algorithm])
        elif algorithm == "EdDSA":
            self.key = Ed25519PrivateKey.generate()
        else:
            if not _rsa:
                _rsa.append(rsa.generate_private_key(65537, 2048))
            self.key = _rsa[0]

    @property
    def jwk(self):
        public = self.key.public_key()
        if self.algorithm in CURVES:
            numbers, size = public.public_numbers(), (public.curve.key_size + 7) // 8
            x, y = b64(numbers.x.to_bytes(size)), b64(numbers.y.to_bytes(size))
            return {"kty": "EC", "crv": f"P-{public.curve.key_size}", "x": x, "y": y}
        if self.algorithm == "EdDSA":
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw())}
        numbers = public.public_numbers()
        return {"kty": "RSA", "e": "AQAB", "n": b64(numbers.n.to_bytes(256))}

    @property
    def jkt(self):
        return b64(hashlib.sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).digest())

    def sign(self, message: bytes) -> bytes:
        algorithm = HASHES.get(self.algorithm[2:])
        if self.algorithm in CURVES:
            size = (self.key.curve.key_size + 7) // 8
            return b"".join(
                part.to_bytes(size) for part in decode_dss_signature(self.key.sign(message, ec.ECDSA(algorithm)))
            )
        if self.algorithm == "EdDSA":
            return self.key.sign(message)
        pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        return self.key.sign(message, pss if self.algorithm.startswith("PS") else padding.PKCS1v15(), algorithm)

    def proof(self, method="POST", path="/oauth2/token", token=None, header=(), **claims):
        """Return a proof that holds, but for what is said; None takes a member away."""
        head = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.jwk} | dict(header)
        body = {"jti": uuid.uuid4().hex, "htm": method, "htu": settings.ISSUER + path, "iat": int(time.time())}
        if self.nonce:
            body["nonce"] = self.nonce
        if token is not None:
            body["ath"] = b64(hashlib.sha256(token.encode()).digest())
        head, body = ({k: v for k, v in part.items() if v is not None} for part in (head, body | claims))
        return self.signed(pack(head), pack(body))

    def signed(self, header: str, claims: str) -> str:
        return f"{header}.{claims}.{b64(self.sign(f'{header}.{claims}'.encode()))}"

    def learn(self, response):
        """Keep the nonce of an answer, as clients do (section 8.2)."""
        self.nonce = response.headers.get("DPoP-Nonce", self.nonce)
        return response
