"""Workload identity federation: trusted issuers, and the trust rules of clients."""

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from clients.federation.platforms import PLATFORMS, Platform, PlatformName
from clients.models.clients import Client
from consumers.models import Consumer


class TrustedIssuerQuerySet(models.QuerySet["TrustedIssuer"]):
    def offered_to(self, consumer: Consumer) -> Self:
        """Return the enabled issuers for which the consumer's clients may have rules."""
        available = models.Q(consumer=None) | models.Q(consumer=consumer)
        return self.filter(available, disabled_at=None)


class TrustedIssuer(models.Model):
    """An issuer of platform tokens with which clients may authenticate (RFC 7523)."""

    name = models.CharField(max_length=100, help_text="As managers read it, such as “GitHub Actions”.")
    platform = models.CharField(
        max_length=20, choices=PlatformName, help_text="Which claims its tokens have, and what a rule must name."
    )
    issuer = models.CharField(
        max_length=300,
        unique=True,
        help_text="The exact “iss” of its tokens. For SPIFFE, the trust domain: spiffe://acme.example.",
    )
    jwks_uri = models.CharField(
        "JWKS URL",
        max_length=500,
        blank=True,
        help_text="Leave empty to use the issuer’s discovery document. For SPIFFE, the bundle’s URL.",
    )
    jwks = models.JSONField(
        "keys",
        null=True,
        blank=True,
        help_text="The public keys themselves, for an issuer that we cannot reach, such as a private cluster.",
    )
    consumer = models.ForeignKey(
        Consumer,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="trusted_issuers",
        help_text="The consumer it is for. Leave empty to allow every consumer.",
    )
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TrustedIssuerQuerySet.as_manager()

    class Meta:
        verbose_name = "trusted issuer"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def kind(self) -> Platform:
        return PLATFORMS[self.platform]

    def serves(self, consumer_id: object) -> bool:
        """Whether clients of the consumer may authenticate with its tokens now."""
        return self.disabled_at is None and self.consumer_id in (None, consumer_id)


class TrustRule(models.Model):
    """The issuer, audience and claims of platform tokens that authenticate a client."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="trust_rules", editable=False)
    issuer = models.ForeignKey(TrustedIssuer, models.PROTECT, related_name="rules", editable=False)
    audience = models.CharField(max_length=200, editable=False)
    claims = models.JSONField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    created_by_label = models.CharField(max_length=254, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_ip = models.GenericIPAddressField(null=True, editable=False)

    class Meta:
        verbose_name = "rule"
        ordering = ["created_at"]

    def __str__(self) -> str:
        return ", ".join(f"{name}: {value}" for name, value in self.claims.items())
