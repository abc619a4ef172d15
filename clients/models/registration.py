"""How clients register themselves (RFC 7591): tokens that let them, tokens that manage them, what operators open."""

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from clients.models.clients import Client
from consumers.models import Consumer

DAYS = [MinValueValidator(1), MaxValueValidator(3650)]


class Limits(models.Model):
    """What clients that register themselves may be; shared by the ways of doing so."""

    grant_types = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, help_text="Of these alone; none means any."
    )
    scopes = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Of these alone; none means any that the consumer may use.",
    )
    client_days = models.PositiveIntegerField(
        "clients end after", null=True, blank=True, validators=DAYS, help_text="In days; empty means never."
    )

    class Meta:
        abstract = True


class InitialTokenQuerySet(models.QuerySet["InitialToken"]):
    def live(self) -> Self:
        """Return the tokens that let a client register now."""
        unspent = models.Q(uses=None) | models.Q(used__lt=models.F("uses"))
        return self.filter(unspent, revoked_at=None, expires_at__gt=Now(), consumer__suspended_at=None)


class InitialToken(Limits):
    """An initial access token (RFC 7591 section 1.2): it lets programs register clients for one consumer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="initial_tokens")
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    pepper_version = models.CharField(max_length=10, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    uses = models.PositiveIntegerField(null=True, blank=True)  # None: any number
    used = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_by_label = models.CharField(max_length=254, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects = InitialTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "initial access token"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(uses=None) | models.Q(used__lte=models.F("uses")), name="initial_token_uses"
            )
        ]

    def __str__(self) -> str:
        return f"“{self.name}” ••••{self.hint}"

    def __repr__(self) -> str:
        return f"<InitialToken {self}>"

    @property
    def state(self) -> str:
        """Return live, revoked, spent or ended."""
        if self.revoked_at is not None:
            return "revoked"
        if self.uses is not None and self.used >= self.uses:
            return "spent"
        return "live" if self.expires_at > timezone.now() else "ended"


class RegistrationToken(models.Model):
    """A client's registration access token (RFC 7592): it manages this client and no other."""

    client = models.OneToOneField(Client, models.CASCADE, related_name="registration_token")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    pepper_version = models.CharField(max_length=10, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"of {self.client_id}"


class OpenRegistration(Limits):
    """The one consumer into which anybody may register a client; there is none until an operator names it."""

    consumer = models.OneToOneField(Consumer, models.CASCADE, related_name="open_registration")
    only = models.BooleanField(default=True, unique=True, editable=False)  # at most one row
    idle_days = models.PositiveIntegerField(
        default=30, validators=DAYS, help_text="Clients that were not used for so many days are deleted."
    )
    most_clients = models.PositiveIntegerField(default=1000, help_text="No more than this many at a time.")

    class Meta:
        verbose_name = verbose_name_plural = "open registration"
        constraints = [models.CheckConstraint(condition=models.Q(only=True), name="open_registration_only")]

    def __str__(self) -> str:
        return f"Anybody may register clients for {self.consumer}"


class SoftwareIssuer(models.Model):
    """Somebody whose software statements are believed (RFC 7591 section 2.3)."""

    issuer = models.CharField(max_length=500, unique=True, help_text="The “iss” of its statements, letter by letter.")
    jwks_uri = models.URLField(max_length=500, blank=True, help_text="Where its public keys are, or give them below.")
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


class DocumentHost(Limits):
    """A host whose client ID metadata documents name clients of a consumer."""

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


class Origin(models.TextChoices):
    """How a client came to be registered."""

    INITIAL_TOKEN = "initial_token", "By itself, with an initial access token"
    OPEN = "open", "By itself, openly"
    DOCUMENT = "document", "By the metadata document that its ID names"


class SelfRegistration(models.Model):
    """That a client registered itself, and how; people see it before they consent."""

    client = models.OneToOneField(Client, models.CASCADE, related_name="self_registration")
    how = models.CharField(max_length=20, choices=Origin)
    # What it may make of itself at most, as when it registered; none means any.
    grant_types = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    scopes = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    software_issuer = models.CharField(max_length=500, blank=True)
    fetched_at = models.DateTimeField(null=True)  # of a metadata document

    def __str__(self) -> str:
        return self.get_how_display()
