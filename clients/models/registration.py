"""Dynamic client registration (RFC 7591, RFC 7592): tokens, open registration, metadata sources."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from clients.models.clients import Client
from consumers.models import Consumer, PersonalToken

DAYS_VALIDATORS = [MinValueValidator(1), MaxValueValidator(3650)]


class RegistrationLimits(models.Model):
    """Limits of clients that register themselves."""

    grant_types = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Leave empty for authorization_code and refresh_token: a person signs in and allows the client.",
    )
    scopes = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Leave empty for no permission of any API.",
    )
    client_lifetime_days = models.PositiveIntegerField(
        "clients expire after",
        null=True,
        blank=True,
        validators=DAYS_VALIDATORS,
        help_text="In days. Leave empty for never.",
    )

    class Meta:
        abstract = True


class InitialAccessTokenQuerySet(models.QuerySet["InitialAccessToken"]):
    def live(self) -> Self:
        """Return the tokens with which a client can register now."""
        unused = models.Q(max_uses=None) | models.Q(use_count__lt=models.F("max_uses"))
        return self.filter(unused, revoked_at=None, expires_at__gt=Now(), consumer__suspended_at=None)


class InitialAccessToken(RegistrationLimits):
    """An initial access token (RFC 7591 section 1.2): it lets programs register clients for one consumer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="initial_access_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    pepper_version = models.CharField(max_length=10, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    max_uses = models.PositiveIntegerField(  # None: any number
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    use_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_by_label = models.CharField(max_length=254, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects = InitialAccessTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "initial access token"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["pepper_version"], name="initial_access_token_pepper")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(max_uses=None) | models.Q(use_count__lte=models.F("max_uses")),
                name="initial_access_token_uses",
            )
        ]

    def __str__(self) -> str:
        return f"“{self.name}” ••••{self.hint}"

    def __repr__(self) -> str:
        return f"<InitialAccessToken {self}>"

    @property
    def state(self) -> str:
        """Return active, exhausted (used as often as it may be), expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        if self.max_uses is not None and self.use_count >= self.max_uses:
            return "exhausted"
        return "active" if self.expires_at > timezone.now() else "expired"


REGISTRATION_ACCESS_TOKEN_LIFETIME = timedelta(days=366)


def a_year_from_now() -> datetime:
    return timezone.now() + REGISTRATION_ACCESS_TOKEN_LIFETIME


class RegistrationAccessTokenQuerySet(models.QuerySet["RegistrationAccessToken"]):
    def live(self) -> Self:
        """Return the tokens that have not ended, of clients that registered themselves."""
        consumer = "client__consumer__tokens_valid_after"  # a client's own “Revoke all tokens” deletes its token
        valid = models.Q(**{consumer: None}) | models.Q(**{f"{consumer}__lt": models.F("created_at")})
        return self.filter(valid, expires_at__gt=Now(), client__self_registration__isnull=False)


class RegistrationAccessToken(models.Model):
    """A client's registration access token (RFC 7592 section 3)."""

    client = models.OneToOneField(Client, models.CASCADE, related_name="registration_access_token")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    pepper_version = models.CharField(max_length=10, editable=False)
    hint = models.CharField(max_length=4, db_default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Whoever replaced the client's own: the token ends with their right to change it, and with the token they used.
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    personal_token = models.ForeignKey(PersonalToken, models.CASCADE, null=True, related_name="+")
    expires_at = models.DateTimeField(
        default=a_year_from_now, db_default=Now() + models.Value(REGISTRATION_ACCESS_TOKEN_LIFETIME), editable=False
    )

    objects = RegistrationAccessTokenQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["pepper_version"], name="registration_token_pepper")]

    def __str__(self) -> str:
        return f"••••{self.hint}"

    def __repr__(self) -> str:
        return f"<RegistrationAccessToken {self}>"

    @property
    def is_live(self) -> bool:
        """Say of a token of a client that registered itself what RegistrationAccessTokenQuerySet.live() does."""
        valid_after = self.client.consumer.tokens_valid_after
        return self.expires_at > timezone.now() and (valid_after is None or valid_after < self.created_at)


class OpenRegistration(RegistrationLimits):
    """The consumer for which anybody may register a client; without a row, registration needs a token."""

    consumer = models.OneToOneField(Consumer, models.CASCADE, related_name="open_registration")
    singleton = models.BooleanField(default=True, unique=True, editable=False)  # at most one row
    idle_days = models.PositiveIntegerField(
        default=30,
        validators=DAYS_VALIDATORS,
        help_text="Clients that are unused for this many days are deleted automatically.",
    )
    max_clients = models.PositiveIntegerField(
        default=1000,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="No more than this many at a time.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "open registration"
        constraints = [models.CheckConstraint(condition=models.Q(singleton=True), name="open_registration_singleton")]

    def __str__(self) -> str:
        return f"Anybody may register clients for {self.consumer}"


class SoftwareIssuer(models.Model):
    """An issuer whose software statements are trusted (RFC 7591 section 2.3)."""

    issuer = models.CharField(max_length=500, unique=True, help_text="The exact “iss” of its statements.")
    jwks_uri = models.URLField(max_length=500, blank=True, help_text="URL of its public keys. Or enter the keys below.")
    jwks = models.JSONField(null=True, blank=True)
    required = models.BooleanField(
        default=False, help_text="Clients may register only with a statement, of this issuer or another required one."
    )
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "software statement issuer"
        ordering = ["issuer"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(jwks_uri="", jwks__isnull=False)
                | (~models.Q(jwks_uri="") & models.Q(jwks__isnull=True)),
                name="software_issuer_one_source",
            )
        ]

    def __str__(self) -> str:
        return self.issuer


class DocumentHost(RegistrationLimits):
    """A host whose client ID metadata documents register clients for a consumer."""

    host = models.CharField(
        max_length=253,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?$", "Give a host in small letters.")],
        help_text="Such as apps.example.com: any document on it, on no subdomain.",
    )
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="document_hosts")

    class Meta:
        verbose_name = "host of client metadata documents"
        verbose_name_plural = "hosts of client metadata documents"
        ordering = ["host"]

    def __str__(self) -> str:
        return self.host


class RegistrationMethod(models.TextChoices):
    """The way in which a client registered itself."""

    INITIAL_ACCESS_TOKEN = "initial_access_token", "Dynamically, with an initial access token"
    OPEN = "open", "Dynamically, without a token"
    DOCUMENT = "document", "By its client metadata document"


class SelfRegistration(models.Model):
    """How a client registered itself, which consent pages tell."""

    client = models.OneToOneField(Client, models.CASCADE, related_name="self_registration")
    method = models.CharField(max_length=20, choices=RegistrationMethod)
    # The limits of its registration, which its updates keep to.
    grant_types = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    scopes = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    software_issuer = models.CharField(max_length=500, blank=True)
    software_statement = models.TextField(blank=True, db_default="")
    # The members that the statement signs: no write changes them, but with another statement.
    signed_members = ArrayField(models.CharField(max_length=100), default=list, db_default=[], blank=True)
    fetched_at = models.DateTimeField(null=True)  # of a metadata document

    def __str__(self) -> str:
        return self.get_method_display()

    @property
    def signs_name(self) -> bool:
        return "client_name" in self.signed_members

    @property
    def signs_redirect_uris(self) -> bool:
        return "redirect_uris" in self.signed_members
