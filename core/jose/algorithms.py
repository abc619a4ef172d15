"""Signature algorithms of JSON Web Signatures (RFC 7518 section 3.1, RFC 8037 section 3.1)."""

from django.db import models


class SigningAlgorithm(models.TextChoices):
    ES256 = "ES256", "ES256 (ECDSA on P-256)"
    RS256 = "RS256", "RS256 (RSA 2048)"
    PS256 = "PS256", "PS256 (RSA 2048, PSS)"
    EDDSA = "EdDSA", "EdDSA (Ed25519)"
