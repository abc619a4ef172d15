"""Test tokens that managers create."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from authority.models.tokens import RevokedToken
from clients.models import Client
from clients.vocabulary import GrantType


class TestTokenQuerySet(models.QuerySet["TestToken"]):
    def listed(self) -> Self:
        """Return the tokens with whether each was revoked, the newest first."""
        revoked = RevokedToken.objects.filter(jti=models.OuterRef("pk"))
        return self.annotate(is_revoked=models.Exists(revoked)).select_related("client").order_by("-created_at")

    def live(self) -> Self:
        return self.filter(expires_at__gt=timezone.now()).exclude(pk__in=RevokedToken.objects.values("jti"))


class TestToken(models.Model):
    """A test token: who created it, for what, and why. The token itself is shown once and stored nowhere."""

    jti = models.CharField(max_length=64, primary_key=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="test_tokens", editable=False)
    grant_type = models.CharField(max_length=60, choices=GrantType, editable=False)  # whose tokens it resembles
    scopes = ArrayField(models.CharField(max_length=100), editable=False)
    audience = ArrayField(models.CharField(max_length=200), editable=False)
    user_id = models.CharField(max_length=255, editable=False)
    reason = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    created_by_label = models.CharField(max_length=254, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    objects = TestTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.client}: {self.reason}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()
