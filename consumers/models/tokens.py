"""Personal access tokens: a person's programs call the management API in that person's name."""

import hmac
import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from consumers.models.people import Consumer
from core import credentials


class PersonalTokenQuerySet(models.QuerySet["PersonalToken"]):
    def live(self) -> Self:
        """Return the tokens that open something now."""
        return self.filter(revoked_at=None, expires_at__gt=Now(), user__is_active=True)


class PersonalToken(models.Model):
    """A person's token. Its text is shown at creation and not stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="personal_tokens")
    # None: every workspace that the person may enter at the time of a request.
    consumer = models.ForeignKey(Consumer, models.CASCADE, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=60)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    pepper_version = models.CharField(max_length=10, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_ip = models.GenericIPAddressField(null=True, editable=False)

    objects = PersonalTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "personal access token"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["pepper_version"], name="personal_token_pepper")]

    def __str__(self) -> str:
        return f"“{self.name}” ••••{self.hint}"

    def __repr__(self) -> str:
        return f"<PersonalToken {self}>"

    @property
    def ended_at(self) -> datetime | None:
        """Return when it stopped working, or None while it works."""
        ends = [moment for moment in (self.expires_at, self.revoked_at) if moment is not None]
        return min(ends) if min(ends) <= timezone.now() else None

    def matches(self, text: str) -> bool:
        """Say whether the text is this token, in constant time."""
        mine = credentials.keyed_digest(text, self.pepper_version)
        return bool(mine) and hmac.compare_digest(mine, self.digest)
