"""HTTP Message Signatures of our requests (RFC 9421), with the digest of their content (RFC 9530).

Whoever gets such a request knows by our published keys that we sent it, to this address, with this content, and when.
"""

import base64
import hashlib

from core.jose import jws
from core.jose.algorithms import SigningAlgorithm
from core.jose.jws import Signer

LABEL = "clientdesk"
ALGORITHM = "ecdsa-p256-sha256"  # of ES256, by its name in RFC 9421 section 6.2.2
COVERED = ("@method", "@target-uri", "content-type", "content-digest")


def signed_headers(
    url: str, body: bytes, signer: Signer, *, content_type: str, created: int, tag: str
) -> dict[str, str]:
    """Return the headers that sign, by an ES256 key, a POST of the body to the URL, made at this second since 1970.

    `tag` says what the request is for, so that no other of ours passes for it (section 7.2.8).
    """
    digest = f"sha-256=:{_binary(hashlib.sha256(body).digest())}:"
    values = {"@method": "POST", "@target-uri": url, "content-type": content_type, "content-digest": digest}
    names = " ".join(f'"{name}"' for name in COVERED)
    assert signer.algorithm == SigningAlgorithm.ES256
    parameters = f'({names});created={created};keyid="{signer.kid}";alg="{ALGORITHM}";tag="{tag}"'
    lines = [f'"{name}": {values[name]}' for name in COVERED] + [f'"@signature-params": {parameters}']
    signature = _binary(jws.sign(signer, "\n".join(lines).encode("ascii")))
    return {
        "Content-Digest": digest,
        "Signature-Input": f"{LABEL}={parameters}",
        "Signature": f"{LABEL}=:{signature}:",
    }


def _binary(data: bytes) -> str:
    """Return bytes as structured fields write them (RFC 8941 section 3.3.5)."""
    return base64.b64encode(data).decode("ascii")
