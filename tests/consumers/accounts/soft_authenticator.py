"""An authenticator in software, which also lies: about origin, relying party, challenge and user verification."""

import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

ORIGIN = "https://portal.example"
RP_ID = "portal.example"
FLAG = AuthenticatorData.FLAG
VERIFIED, PRESENT = FLAG.UP | FLAG.UV, FLAG.UP


class SoftAuthenticator:
    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = os.urandom(16)
        self.user_handle = ""

    def create(self, options: dict[str, Any], *, flags: int = VERIFIED, **lies: Any) -> str:
        """Return the credential that answers a registration (WebAuthn section 7.1)."""
        public = options["publicKey"]
        self.user_handle = public["user"]["id"]
        attested = AttestedCredentialData.create(
            b"\0" * 16, self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(_rp(lies), flags | FLAG.AT, 0, attested)
        client_data = _client_data("webauthn.create", public, lies)
        return self._credential(
            {
                "clientDataJSON": websafe_encode(client_data),
                "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
            }
        )

    def get(self, options: dict[str, Any], *, flags: int = VERIFIED, key: Any = None, **lies: Any) -> str:
        """Return the credential that answers an authentication (WebAuthn section 7.2)."""
        data = AuthenticatorData.create(_rp(lies), flags, 1)
        client_data = _client_data("webauthn.get", options["publicKey"], lies)
        signed = data + hashlib.sha256(client_data).digest()
        return self._credential(
            {
                "clientDataJSON": websafe_encode(client_data),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode((key or self.key).sign(signed, ec.ECDSA(hashes.SHA256()))),
                "userHandle": lies.get("user_handle", self.user_handle),
            }
        )

    def _credential(self, response: dict[str, str]) -> str:
        name = websafe_encode(self.credential_id)
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {"credProps": {"rk": True}},
            }
        )


def _rp(lies: dict[str, Any]) -> bytes:
    return hashlib.sha256(lies.get("rp_id", RP_ID).encode()).digest()


def _client_data(kind: str, public: dict[str, Any], lies: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "type": lies.get("type", kind),
            "challenge": lies.get("challenge", public["challenge"]),
            "origin": lies.get("origin", ORIGIN),
            "crossOrigin": False,
        }
    ).encode()
