"""What tokens leave in the database: families, refresh tokens, opaque tokens, revocations, identifiers used once."""

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from clients.models import Client
from consumers.models import Membership


class RevokedToken(models.Model):
    """A stateless access token that was revoked before its end; kept until then."""

    jti = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.jti


class FamilyQuerySet(models.QuerySet["Family"]):
    def alive(self) -> Self:
        """Return those that nobody ended, of people who may still come in; the client is judged elsewhere."""
        membership = Membership.objects.filter(
            user=models.OuterRef("user"), consumer=models.OuterRef("client__consumer")
        )
        return self.filter(ended_at=None, user__is_active=True).filter(
            models.Q(as_member=False) | models.Exists(membership)
        )


class Family(models.Model):
    """One person's permission to one client, given once, and with it every token that descends from it.

    They end together, so this row is what is locked, judged and ended. Its `generation` says which of its refresh
    tokens is the live one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="families", editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="families", editable=False, db_index=False
    )
    # Whether the person belonged to the client's consumer; it then ends with the membership.
    as_member = models.BooleanField(default=False, editable=False)
    grant_type = models.CharField(max_length=60, editable=False)
    # The digest of the code or device code that it was given for, so that a replay ends it (RFC 6749 section 4.1.2).
    code = models.CharField(max_length=64, unique=True, null=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    resource = models.JSONField(default=list, editable=False)
    # The thumbprint of the key that its tokens are bound to (RFC 9449 section 5), or nothing.
    dpop_jkt = models.CharField(max_length=43, blank=True, editable=False)
    began_at = models.DateTimeField(default=timezone.now, editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    graces = models.PositiveSmallIntegerField(default=0, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    # The end of the day on which the last of its tokens ends by itself; nobody needs the row after that.
    needed_until = models.DateTimeField(db_index=True, editable=False)

    objects = FamilyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "families"
        indexes = [models.Index(fields=["user", "client"], name="family_user_client")]

    def __str__(self) -> str:
        return str(self.id)


class RefreshToken(models.Model):
    """A refresh token, by its digest. It lives while its generation is its family's."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    family = models.ForeignKey(Family, models.CASCADE, related_name="refresh_tokens", editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class OpaqueToken(models.Model):
    """An access token that only we can read, by its digest, with the claims that a JWT would carry."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    family = models.ForeignKey(Family, models.CASCADE, null=True, related_name="+", editable=False)
    claims = models.JSONField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class SpentIdentifier(models.Model):
    """Something that may be used once, such as the jti of an assertion, and was; kept until it ends anyway."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]
