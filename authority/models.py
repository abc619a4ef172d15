"""What the authority keeps for itself."""

from django.db import models
from django.utils import timezone

from clients.models import Client
from clients.vocabulary import SigningAlgorithm


class SigningKey(models.Model):
    """A key pair. The private half rests encrypted under KEY_ENCRYPTION_KEYS, its kid inside the ciphertext."""

    class State(models.TextChoices):
        NEXT = "next", "Next"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"
        REVOKED = "revoked", "Revoked"

    kid = models.CharField(max_length=64, unique=True, editable=False)
    algorithm = models.CharField(max_length=5, choices=SigningAlgorithm, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.NEXT, editable=False)
    public_jwk = models.JSONField(editable=False)
    sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    activated_at = models.DateTimeField(null=True, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    serve_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "signing key"
        ordering = ["algorithm", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["algorithm"], condition=models.Q(state="active"), name="signing_key_one_active"
            )
        ]

    def __str__(self) -> str:
        return self.kid


class RevokedToken(models.Model):
    """A stateless access token that was revoked before its end; kept until then."""

    jti = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.jti


class RedeemedCode(models.Model):
    """A code that was exchanged, and what for, so that its replay takes that back (RFC 6749 section 4.1.2)."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    token_family = models.UUIDField(null=True, editable=False)
    access_token_id = models.BigIntegerField(editable=False)
    redeemed_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]
