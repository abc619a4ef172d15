"""Requests that wait for a person: pushed authorization requests and device authorization requests."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from authority.models.sign_ins import SignIn
from clients.models import Client
from core.user_agents import browser_name


class DeviceRequest(models.Model):
    """A device authorization request, by the digests of its two codes (RFC 8628); deleted when tokens are issued."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        ALLOWED = "allowed", "Allowed"
        DENIED = "denied", "Denied"

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    user_code = models.CharField(max_length=64, unique=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING, editable=False)
    sign_in = models.ForeignKey(SignIn, models.SET_NULL, null=True, related_name="+", editable=False)
    scopes = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    interval = models.PositiveSmallIntegerField(editable=False)
    polled_at = models.DateTimeField(null=True, editable=False)
    # Where the device asked from, for the person who is asked to allow it.
    ip = models.GenericIPAddressField(null=True, editable=False)
    user_agent = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]

    @property
    def program(self) -> str:
        """Return the browser or program that asked, as it calls itself: Firefox on Linux, clientdesk/0.1.0."""
        product = self.user_agent.partition(" ")[0]  # RFC 9110 section 10.1.5
        if product.startswith("Mozilla/") or not (product.isascii() and product.isprintable()):
            product = browser_name(self.user_agent)
        return product or "Unknown"


class PushedRequest(models.Model):
    """A pushed authorization request (RFC 9126), encrypted, by the digest of its request_uri."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    encrypted_parameters = models.BinaryField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)
    opened_at = models.DateTimeField(null=True, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]
