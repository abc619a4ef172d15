"""Access tokens that nobody issued, made of a genuine one, each with one thing wrong (RFC 8725)."""

import hashlib
import hmac
import json
import time

from core.jose import base64url, jwk, jws
from core.jose.jws import Signer

HOSTILE_KIDS = [
    "../../etc/passwd",
    "' OR 1=1 --",
    "a\0b",
    "https://evil.example/key",
    "",
    " ",
    "x" * 10_000,
    "ä",
    "\ud800",
]


def parts(token: str):
    header, claims, signature = token.split(".")
    return json.loads(base64url.decode(header)), json.loads(base64url.decode(claims)), signature


def joined(header, claims, signature="") -> str:
    return f"{jws.pack(header)}.{jws.pack(claims)}.{signature}"


def signed(header, claims, signer: Signer) -> str:
    text = f"{jws.pack(header)}.{jws.pack(claims)}"
    return f"{text}.{base64url.encode(jws.sign(signer, text.encode()))}"


def hmac_signed(header, claims, secret: bytes) -> str:
    text = f"{jws.pack(header)}.{jws.pack(claims)}"
    return f"{text}.{base64url.encode(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def forgeries(genuine: str, signer: Signer) -> dict[str, str]:
    """Return forged tokens by what is wrong with them; `signer` is the key that signed the genuine one."""
    header, claims, signature = parts(genuine)
    public = jwk.public_jwk(signer.private_key, signer.algorithm)
    thief = jws.generate("ES256")
    theirs = jwk.public_jwk(thief, "ES256")
    impostor = Signer(kid=signer.kid, algorithm="ES256", private_key=thief)
    rsa = Signer(kid=signer.kid, algorithm="RS256", private_key=jws.generate("RS256"))
    return {
        "unsigned, alg none": joined(header | {"alg": "none"}, claims),
        "alg None with the signature": joined(header | {"alg": "None"}, claims, signature),
        "alg nOnE": joined(header | {"alg": "nOnE"}, claims),
        "HMAC with the public key as JSON": hmac_signed(header | {"alg": "HS256"}, claims, json.dumps(public).encode()),
        "HMAC with the public key's x": hmac_signed(header | {"alg": "HS256"}, claims, base64url.decode(public["x"])),
        "HMAC with nothing": hmac_signed(header | {"alg": "HS256"}, claims, b""),
        "alg of another key": joined(header | {"alg": "RS256"}, claims, signature),
        "another algorithm and key under our kid": signed(header | {"alg": "RS256"}, claims, rsa),
        "no alg": joined({k: v for k, v in header.items() if k != "alg"}, claims, signature),
        "another key under our kid": signed(header, claims, impostor),
        "another key, brought along as jwk": signed(header | {"kid": theirs["kid"], "jwk": theirs}, claims, impostor),
        "another key as jwk under our kid": signed(header | {"jwk": theirs}, claims, impostor),
        "another key at jku": signed(header | {"jku": "https://evil.example/jwks"}, claims, impostor),
        "another key at x5u": signed(header | {"x5u": "https://evil.example/cert"}, claims, impostor),
        "unknown critical header": signed(header | {"crit": ["evil"], "evil": True}, claims, signer),
        "critical header b64": signed(header | {"crit": ["b64"], "b64": False}, claims, signer),
        "no kid": joined({k: v for k, v in header.items() if k != "kid"}, claims, signature),
        "kid in a list": joined(header | {"kid": ["x"]}, claims, signature),
        **{f"hostile kid {kid[:12]!r}": signed(header | {"kid": kid}, claims, signer) for kid in HOSTILE_KIDS},
        "type of an ID token": signed(header | {"typ": "JWT"}, claims, signer),
        "type of a client assertion": signed(header | {"typ": "client-authentication+jwt"}, claims, signer),
        "type of a logout token": signed(header | {"typ": "logout+jwt"}, claims, signer),
        "type of a DPoP proof": signed(header | {"typ": "dpop+jwt"}, claims, signer),
        "no type": signed({k: v for k, v in header.items() if k != "typ"}, claims, signer),
        "wider scope": joined(header, claims | {"scope": "shipments:read shipments:write"}, signature),
        "longer life": joined(header, claims | {"exp": claims["exp"] + 9999}, signature),
        "another issuer": signed(header, claims | {"iss": "https://evil.example"}, signer),
        "ended": signed(header, claims | {"iat": 1, "exp": int(time.time()) - 60}, signer),
        "no signature": joined(header, claims),
        "empty signature of zeros": joined(header, claims, base64url.encode(bytes(64))),
        "signature in DER": joined(header, claims, base64url.encode(b"\x30\x06\x02\x01\x01\x02\x01\x01")),
        "header that is no object": f"{base64url.encode(b'[]')}.{jws.pack(claims)}.{signature}",
        "claims that are no object": f"{jws.pack(header)}.{base64url.encode(b'[]')}.{signature}",
        "nested without end": f"{base64url.encode(b'[' * 5000)}.{jws.pack(claims)}.{signature}",
        "five parts": f"{jws.pack(header)}.a.b.c.d",
        "two parts": f"{jws.pack(header)}.{jws.pack(claims)}",
    }
