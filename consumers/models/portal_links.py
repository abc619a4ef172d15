"""Links into one workspace that the provider's own application gets for a person (docs/portal-links.md)."""

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from consumers.models.people import Consumer, Role


class PortalLinkQuerySet(models.QuerySet["PortalLink"]):
    def open(self) -> Self:
        """Return what can be used now."""
        return self.filter(used_at=None, expires_at__gt=Now(), consumer__suspended_at=None)


class PortalLink(models.Model):
    """A link that opens one session in one workspace, for minutes. Only a digest of its token is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="portal_links")
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    return_to = models.CharField(max_length=2000)
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_by_label = models.CharField(max_length=254, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)
    used_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Erasing a person deletes the rows of their address (consumers/actions/erasure.py).
    ERASED_WITH_ADDRESS: ClassVar[bool] = True

    objects = PortalLinkQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.email} to {self.consumer}"

    @property
    def state(self) -> str:
        """Return used, expired or open."""
        if self.used_at:
            return "used"
        return "expired" if self.expires_at <= timezone.now() else "open"
