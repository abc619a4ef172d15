"""The secrets of clients: digests, ends and last uses."""

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

MAX_LIVE_SECRETS = 5


class ClientSecretQuerySet(models.QuerySet["ClientSecret"]):
    def live(self) -> Self:
        """Return the secrets that authenticate now."""
        return self.filter(revoked_at=None).filter(models.Q(expires_at=None) | models.Q(expires_at__gt=Now()))

    def all_end_at(self) -> int:
        """Return when the last of a client's secrets ends, in seconds since 1970 (RFC 7591 section 3.2.1).

        0 while one has no end, and where there is none.
        """
        ends = [secret.expires_at for secret in self if secret.is_live]
        known = [end for end in ends if end is not None]
        return int(max(known).timestamp()) if known and len(known) == len(ends) else 0

    def listed(self) -> Self:
        """Return the live ones, and those that ended within 30 days, to be recognised in refused requests."""
        since = timezone.now() - timedelta(days=30)
        return self.exclude(expires_at__lt=since).exclude(revoked_at__lt=since)


class ClientSecret(models.Model):
    """One of a client's secrets. Its text is shown at creation and kept nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=60, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    pepper_version = models.CharField(max_length=10, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_by_label = models.CharField(max_length=254, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, editable=False)
    # Rotated with “a day after the new one is first used”: the first use of that secret sets expires_at.
    ends_after_use_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="predecessors")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, editable=False)  # the managers, that it ends
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)

    objects = ClientSecretQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["client", "digest"], name="secret_once")]

    SOON: ClassVar[timedelta] = timedelta(days=14)

    def __str__(self) -> str:
        return f"••••{self.hint}"

    def __repr__(self) -> str:
        return f"<ClientSecret {self}>"

    @property
    def ended_at(self) -> datetime | None:
        """Return when it stopped working, or None while it works."""
        ends = [moment for moment in (self.expires_at, self.revoked_at) if moment is not None]
        end = min(ends, default=None)
        return end if end is not None and end <= timezone.now() else None

    @property
    def is_live(self) -> bool:
        return self.ended_at is None

    @property
    def state(self) -> str:
        """Return ended, rotating (its successor exists, and it ends some time) or active."""
        if not self.is_live:
            return "ended"
        return "rotating" if self.rotated_at and (self.expires_at or self.ends_after_use_of_id) else "active"

    @property
    def ends_soon(self) -> bool:
        """Say whether it works now, and no longer in SOON."""
        return self.is_live and self.expires_at is not None and self.expires_at <= timezone.now() + self.SOON

    def matches(self, secret: str) -> bool:
        """Say whether the text is this secret, in constant time."""
        mine = secrets.digest(secret, self.pepper_version)
        return bool(mine) and hmac.compare_digest(mine, self.digest)
