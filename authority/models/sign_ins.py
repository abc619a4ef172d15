"""Sign-ins of people at clients, their consents, and logout notices."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from clients.models import Client
from core.models import Delivery


class SignIn(models.Model):
    """A person's sign-in at a client: the browser session, and how they authenticated. Its family has its ID."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", editable=False)
    # The browser session, under the name that clients know it by (OpenID Connect Back-Channel Logout section 2.1), and
    # as a digest of its key. Empty where there is none, such as on a device, or no longer.
    sid = models.CharField(max_length=43, blank=True, editable=False)
    session = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    # Whether the person belonged to the client's consumer then; unknown of sign-ins of earlier releases.
    as_member = models.BooleanField(null=True, editable=False)
    authenticated_at = models.DateTimeField(editable=False)
    methods = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    # What the provider's own login said: the authentication context class, and claims for tokens, as the members
    # `access_token` and `id_token`. Empty of people who sign in here.
    acr = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    claims = models.JSONField(null=True, editable=False)
    user_agent = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)

    class Meta:
        indexes = [models.Index(fields=["user", "client"], name="sign_in_of")]

    def __str__(self) -> str:
        return f"{self.user} at {self.client}"


class Consent(models.Model):
    """What a person allows a client to do, by their latest decision."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="consents", editable=False)
    scopes = ArrayField(models.CharField(max_length=100), default=list, editable=False)
    resources = ArrayField(models.CharField(max_length=2000), default=list, editable=False)
    # What the page said that APIs learn, each with its API; consents of earlier releases were not told any.
    told = ArrayField(models.CharField(max_length=200), null=True, editable=False)
    given_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(default=timezone.now, editable=False)
    # Until when the person is not asked again; None without end. What they allowed holds until they revoke it.
    remembered_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-last_used_at"]
        constraints = [models.UniqueConstraint(fields=["user", "client"], name="consent_once")]

    def __str__(self) -> str:
        return f"{self.user} lets {self.client} in"


class LogoutNotice(Delivery):
    """A logout request to a client whose browser session ended (OpenID Connect Back-Channel Logout section 2.5).

    The row is deleted once the client has answered, or was asked for the last time.
    """

    client = models.ForeignKey(Client, models.CASCADE, related_name="+", editable=False)
    subject = models.CharField(max_length=255, editable=False)
    sid = models.CharField(max_length=43, editable=False)

    def __str__(self) -> str:
        return f"{self.client}: {self.sid}"
