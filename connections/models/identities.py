"""Who people are at their identity providers, and which browser sessions began there."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db import models
from django.utils import timezone

from connections.models.connections import Connection


class Identity(models.Model):
    """A person at an identity provider: issuer and subject, which allauth's row keeps as `provider` and `uid`.

    The address is what the provider said last, and identifies nobody.
    """

    account = models.OneToOneField(SocialAccount, models.CASCADE, primary_key=True, related_name="identity")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="identities")
    email = models.CharField(max_length=254, blank=True)
    groups = models.JSONField(default=list)
    claims = models.JSONField(default=dict)  # those that the connection keeps for APIs
    made_operator = models.BooleanField(default=False)  # by the group that the connection names
    linked_at = models.DateTimeField(default=timezone.now)
    signed_in_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "identities"
        indexes = [models.Index(fields=["connection", "-signed_in_at"], name="identity_of_connection")]

    def __str__(self) -> str:
        return f"{self.account.user} at {self.connection}"

    @property
    def user(self) -> Any:
        return self.account.user


class ConnectionSession(models.Model):
    """A browser session that began at an identity provider, so that the provider can end it.

    OpenID Connect Back-Channel Logout section 2.1: by its session (`sid`), or by its subject.
    """

    session_key = models.CharField(max_length=40, unique=True)
    identity = models.ForeignKey(Identity, models.CASCADE, related_name="sessions")
    sid = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["sid"], condition=~models.Q(sid=""), name="connection_session_sid")]

    def __str__(self) -> str:
        return f"a session of {self.identity}"
