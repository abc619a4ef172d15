"""Signing keys, and the issuer of identity tokens."""

from typing import Self

from django.db import models
from django.utils import timezone

from clients.models import ACCESS_TOKEN_LIFETIME
from core.jose.algorithms import SigningAlgorithm


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def served(self) -> Self:
        """Return the keys that verify a token that lives, or will."""
        states = SigningKey.State
        return self.filter(
            models.Q(state__in=[states.NEXT, states.ACTIVE])
            | models.Q(state=states.RETIRED, serve_until__gt=timezone.now())
        )


class SigningKey(models.Model):
    """A key pair: published as next, signing while active, published until its last token has ended when retired.

    The private key is encrypted under KEY_ENCRYPTION_KEYS, its kid inside the ciphertext, and is deleted when the
    key stops to sign. The public half stays, for old ID tokens come back as hints.
    """

    class State(models.TextChoices):
        NEXT = "next", "Next"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"
        REVOKED = "revoked", "Revoked"

    class Purpose(models.TextChoices):
        """Whose tokens it signs; sets of keys are published apart, so that no token passes for one of the other set."""

        TOKENS = "tokens", "Access and ID tokens"
        WORKLOADS = "workloads", "Workload identity tokens"

    kid = models.CharField(max_length=64, unique=True, editable=False)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.TOKENS, editable=False)
    algorithm = models.CharField(max_length=5, choices=SigningAlgorithm, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.NEXT, editable=False)
    public_jwk = models.JSONField(editable=False)
    encrypted_private_key = models.BinaryField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    activated_at = models.DateTimeField(null=True, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    # Seconds that the longest-lived token may live that was signed with it: so long it is published when retired.
    longest_lifetime = models.PositiveIntegerField(default=ACCESS_TOKEN_LIFETIME, editable=False)
    serve_until = models.DateTimeField(null=True, editable=False)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "signing key"
        ordering = ["purpose", "algorithm", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "algorithm"], condition=models.Q(state=state), name=f"signing_key_one_{state}"
            )
            for state in ("next", "active")
        ]

    def __str__(self) -> str:
        return self.kid


class WorkloadIssuer(models.Model):
    """The name of this installation's workload issuer: one row, which clouds remember, so it never changes."""

    name = models.CharField(max_length=40, primary_key=True, editable=False)
    only = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="workload_issuer_only_one")]

    def __str__(self) -> str:
        return self.name
