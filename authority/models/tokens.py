"""Rows of tokens: families, refresh tokens, opaque tokens, revocations, identifiers used once."""

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from clients.models import Client
from consumers.models import Membership


class RevokedToken(models.Model):
    """A JWT access token that was revoked before it expires; deleted then."""

    jti = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.jti


class TokenFamilyQuerySet(models.QuerySet["TokenFamily"]):
    def alive(self) -> Self:
        """Return the families that are not revoked, of people who still have access. The client is not checked."""
        membership = Membership.objects.filter(
            user=models.OuterRef("user"), consumer=models.OuterRef("client__consumer")
        )
        return self.filter(ended_at=None, user__is_active=True).filter(
            models.Q(as_member=False) | models.Exists(membership)
        )


class TokenFamily(models.Model):
    """One grant of a person to a client, with every token that is issued from it.

    They are revoked together, so this is the row that is locked. Its `generation` says which of its refresh tokens is
    the current one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(
        Client, models.CASCADE, related_name="families", editable=False, db_index=False
    )  # the index below begins with it
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="families", editable=False, db_index=False
    )
    # Whether the person was a member of the client's consumer; the family then ends with the membership.
    as_member = models.BooleanField(default=False, editable=False)
    grant_type = models.CharField(max_length=60, editable=False)
    # The digest of its code or device code, so that a replay revokes it (RFC 6749 section 4.1.2).
    code = models.CharField(max_length=64, unique=True, null=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    resource = models.JSONField(default=list, editable=False)
    # The thumbprint of the key that its tokens are bound to (RFC 9449 section 5), or empty.
    dpop_jkt = models.CharField(max_length=43, blank=True, editable=False)
    began_at = models.DateTimeField(default=timezone.now, editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    rotated_at = models.DateTimeField(null=True, editable=False)
    grace_uses = models.PositiveSmallIntegerField(default=0, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    # The end of the day on which the last of its tokens expires; the row is deleted after that.
    retain_until = models.DateTimeField(db_index=True, editable=False)

    objects = TokenFamilyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "families"
        indexes = [
            models.Index(fields=["user", "client"], name="family_user_client"),
            # Who is signed in to a client, the latest sign-in first.
            models.Index(fields=["client", "-began_at"], name="family_of_client"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class RefreshToken(models.Model):
    """A refresh token, by its digest. It lives while its generation is its family's."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    family = models.ForeignKey(TokenFamily, models.CASCADE, related_name="refresh_tokens", editable=False)
    generation = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class OpaqueToken(models.Model):
    """An opaque access token, by its digest, with the claims that a JWT would carry."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    family = models.ForeignKey(TokenFamily, models.CASCADE, null=True, related_name="+", editable=False)
    claims = models.JSONField(editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]


class SpentIdentifier(models.Model):
    """An identifier that may be used once, such as the jti of an assertion, and was; deleted when it expires."""

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    def __str__(self) -> str:
        return self.digest[:8]
