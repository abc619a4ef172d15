"""Client secrets: digests, expiry and last use."""

import hmac
import uuid
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from clients import secrets
from clients.models.clients import Client
from clients.vocabulary import SecretState

MAX_LIVE_SECRETS = 5


# What is true of secrets that authenticate now, and of those that others replace.
LIVE = models.Q(models.Q(expires_at=None) | models.Q(expires_at__gt=Now()), revoked_at=None)
REPLACED = ~models.Q(rotated_at=None) & ~models.Q(expires_at=None, expires_after_use_of=None)


class ClientSecretQuerySet(models.QuerySet["ClientSecret"]):
    def live(self) -> Self:
        """Return the secrets that authenticate now; ClientSecret.is_live is the same of one."""
        return self.filter(LIVE)

    def rotating(self) -> Self:
        """Of live secrets, return those in SecretState.ROTATING."""
        return self.filter(REPLACED)

    def client_secret_expires_at(self) -> int:
        """Return when the last of a client's secrets expires, in seconds since 1970 (RFC 7591 section 3.2.1).

        0 while one never expires, and where there is none.
        """
        live = [secret.expires_at for secret in self if secret.is_live]
        expiring = [expires_at for expires_at in live if expires_at is not None]
        return int(max(expiring).timestamp()) if expiring and len(expiring) == len(live) else 0

    def listed(self) -> Self:
        """Return the live secrets, and those that ended within 30 days, which refused requests may still use."""
        since = timezone.now() - timedelta(days=30)
        return self.exclude(expires_at__lt=since).exclude(revoked_at__lt=since)


class ClientSecret(models.Model):
    """One of a client's secrets. Only its digest is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="secrets", db_index=False)
    name = models.CharField(max_length=60, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    pepper_version = models.CharField(max_length=10, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_by_label = models.CharField(max_length=254, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, editable=False)
    # Rotated with “a day after the new one is first used”: the first use of that secret sets expires_at of this one.
    expires_after_use_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="predecessors")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, editable=False)  # the last mail to the managers about its expiry
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)

    objects = ClientSecretQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["client", "expires_at"], condition=models.Q(revoked_at=None), name="secret_live"),
            models.Index(  # few do: what warns of them finds them among all
                fields=["client"],
                condition=models.Q(
                    models.Q(expires_at__isnull=False) | models.Q(rotated_at__isnull=False), revoked_at=None
                ),
                name="secret_ending",
            ),
            models.Index(fields=["pepper_version"], name="secret_pepper"),
        ]
        constraints = [models.UniqueConstraint(fields=["client", "digest"], name="secret_once")]

    SOON: ClassVar[timedelta] = timedelta(days=14)

    def __str__(self) -> str:
        return f"••••{self.hint}"

    def __repr__(self) -> str:
        return f"<ClientSecret {self}>"

    @property
    def ended_at(self) -> datetime | None:
        """Return when it expired or was revoked, or None while it is live."""
        end = min(filter(None, (self.expires_at, self.revoked_at)), default=None)
        return end if secrets.is_expired(end) else None

    @property
    def is_live(self) -> bool:
        return self.ended_at is None

    @property
    def state(self) -> SecretState:
        if self.revoked_at is not None:
            return SecretState.REVOKED
        if not self.is_live:
            return SecretState.EXPIRED
        rotating = self.rotated_at and (self.expires_at or self.expires_after_use_of_id)
        return SecretState.ROTATING if rotating else SecretState.ACTIVE

    @property
    def ends_soon(self) -> bool:
        """Whether it is live now and expires within SOON."""
        return self.is_live and self.expires_at is not None and self.expires_at <= timezone.now() + self.SOON

    def matches(self, secret: str) -> bool:
        """Whether the text is this secret, compared in constant time."""
        digest = secrets.keyed_digest(secret, self.pepper_version)
        return bool(digest) and hmac.compare_digest(digest, self.digest)
