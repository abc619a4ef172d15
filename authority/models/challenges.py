"""The provider's own login: its sessions in browsers, and the requests that it answers."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from clients.models import Api, Client


class LoginSession(models.Model):
    """A browser in which the provider's own login has signed a person in, by the digest of its cookie.

    Its ID is what clients know it by: `sid` (OpenID Connect Back-Channel Logout section 2.1).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="login_sessions", editable=False, db_index=False
    )
    api = models.ForeignKey(Api, models.CASCADE, related_name="+", editable=False)  # whose login it was
    authenticated_at = models.DateTimeField(editable=False)
    acr = models.CharField(max_length=200, blank=True, editable=False)
    amr = models.JSONField(default=list, editable=False)
    # Whether the login is skipped next time; else the session is over with the request that it began in.
    is_remembered = models.BooleanField(default=False, editable=False)
    # The session at the login itself, which it may want to end with this one.
    identity_provider_session_id = models.CharField(max_length=255, blank=True, editable=False)
    ip = models.GenericIPAddressField(null=True, editable=False)
    user_agent = models.CharField(max_length=200, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    class Meta:
        verbose_name = "session of your own login"
        verbose_name_plural = "sessions of your own login"
        indexes = [models.Index(fields=["user", "-created_at"], name="login_session_of")]

    def __str__(self) -> str:
        return f"{self.user} since {self.created_at:%Y-%m-%d}"


class Challenge(models.Model):
    """A request that the provider's own server answers: to log a person in, to ask for consent, to log them out.

    The browser carries the challenge there and the verifier back; both are stored as digests, and what was asked and
    answered is encrypted, because it names people.
    """

    class Kind(models.TextChoices):
        LOGIN = "login", "Login"
        CONSENT = "consent", "Consent"
        LOGOUT = "logout", "Logout"

    digest = models.CharField(max_length=64, primary_key=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, null=True, related_name="+", editable=False)
    api = models.ForeignKey(Api, models.CASCADE, related_name="+", editable=False)
    # The browser that it was made for, by the digest of its cookie: no other can go on with the answer.
    browser = models.CharField(max_length=64, editable=False)
    session = models.ForeignKey(LoginSession, models.CASCADE, null=True, related_name="+", editable=False)
    encrypted_request = models.BinaryField(editable=False)
    encrypted_answer = models.BinaryField(default=b"", editable=False)
    verifier = models.CharField(max_length=64, unique=True, null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)
    used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(db_index=True, editable=False)

    class Meta:
        verbose_name = "request to your own login"
        verbose_name_plural = "requests to your own login"
        indexes = [
            # How many of a client's wait (authority/authorization/quotas.py).
            models.Index(
                fields=["client", "kind", "expires_at"], name="challenge_open", condition=models.Q(answered_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.digest[:8]
