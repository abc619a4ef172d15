"""Signature algorithms of JSON Web Signatures (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864)."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from django.db import models


class SigningAlgorithm(models.TextChoices):
    """What this server signs with."""

    ES256 = "ES256", "ES256 (ECDSA on P-256)"
    RS256 = "RS256", "RS256 (RSA 2048)"
    PS256 = "PS256", "PS256 (RSA 2048, PSS)"
    EDDSA = "EdDSA", "EdDSA (Ed25519)"


RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
EC_ALGORITHMS = ("ES256", "ES384", "ES512")
ED25519_ALGORITHMS = ("EdDSA", "Ed25519")  # the second names the curve too (RFC 9864); both are in use
# What others may sign with. No secret is shared, so no HS256; and never none (RFC 8725 section 3.1).
ALGORITHMS = (*RSA_ALGORITHMS, *EC_ALGORITHMS, *ED25519_ALGORITHMS)

_SHA2: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
HASHES = {name: _SHA2[name[2:]] for name in (*RSA_ALGORITHMS, *EC_ALGORITHMS)}
ECDSA = {name: ec.ECDSA(HASHES[name]) for name in EC_ALGORITHMS}
RSA_PADDINGS: dict[str, padding.PKCS1v15 | padding.PSS] = {
    name: padding.PKCS1v15()
    if name.startswith("RS")
    else padding.PSS(mgf=padding.MGF1(HASHES[name]), salt_length=HASHES[name].digest_size)
    for name in RSA_ALGORITHMS
}
