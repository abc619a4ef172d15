"""Connections to identity providers, the e-mail domains that they are trusted for, and who joins by them."""

import uuid
from typing import TYPE_CHECKING, ClassVar, Self

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from connections.presets import PRESETS, Preset, PresetName
from consumers.models import Consumer, Role
from core.encryption import fernet

if TYPE_CHECKING:
    from consumers.models import User


class SignInMode(models.TextChoices):
    OFF = "off", "Off"
    OFFERED = "offered", "Offered"
    REQUIRED = "required", "Required"


class ClientAuthentication(models.TextChoices):
    """How the portal authenticates at the provider's token endpoint (OpenID Connect Core section 9)."""

    PRIVATE_KEY_JWT = "private_key_jwt", "With our own key (private_key_jwt)"
    CLIENT_SECRET_BASIC = "client_secret_basic", "With a client secret, in the header"
    CLIENT_SECRET_POST = "client_secret_post", "With a client secret, in the body"


class Source(models.TextChoices):
    """Where a connection is kept: changed on these pages, or by CONNECTIONS_FILE alone."""

    PORTAL = "portal", "Here"
    FILE = "file", "CONNECTIONS_FILE"


def default_scopes() -> list[str]:
    return ["openid", "profile", "email"]


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def live(self) -> Self:
        """Return those by which somebody can sign in."""
        return self.exclude(sign_in=SignInMode.OFF)

    def required(self) -> Self:
        return self.filter(sign_in=SignInMode.REQUIRED)

    def of_address(self, email: str) -> Self:
        """Return those that people with such an address sign in by: trusted for its domain, and live."""
        return self.live().filter(domains__name=domain_of(email), domains__verified_at__isnull=False)

    def of_consumer(self, consumer: Consumer) -> Self:
        """Return the live ones that lead into the consumer's workspace."""
        return self.live().filter(models.Q(consumers=None) | models.Q(consumers=consumer)).distinct()

    def required_of(self, user: "User", consumer: Consumer | None = None) -> Self:
        """Return those by which the person must sign in: trusted for one of their verified addresses, or linked.

        With a consumer, those too that its workspace requires of whoever enters it.
        """
        domain = models.Func(
            models.F("email"),
            models.Value("@"),
            models.Value(-1),
            function="split_part",
            output_field=models.CharField(),
        )
        addresses = EmailAddress.objects.filter(user=user, verified=True).annotate(domain=Lower(domain))
        wanted = models.Q(domains__name__in=addresses.values("domain"), domains__verified_at__isnull=False)
        wanted |= models.Q(identities__account__user=user)
        if consumer is not None:
            wanted |= models.Q(consumers=consumer)
        return self.required().filter(wanted).distinct()

    def connectable_by(self, user: "User") -> Self:
        """Return those that the person may connect to their account: of the portal or their workspaces."""
        theirs = models.Q(consumers=None) | models.Q(consumers__memberships__user=user)
        found = self.live().filter(theirs).exclude(identities__account__user=user)
        return (found.filter(for_operators=True) if user.is_staff else found).distinct()


class Connection(models.Model):
    """An OpenID provider where people sign in, and we are the relying party."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60, help_text="As people read it when they sign in, such as “Acme Okta”.")
    slug = models.SlugField(
        "short name", max_length=50, unique=True, help_text="Part of the redirect URI. It cannot be changed."
    )
    preset = models.CharField("provider", max_length=20, choices=PresetName, default=PresetName.ANY)
    issuer = models.CharField(
        max_length=200, help_text="The exact “iss” of its ID tokens. Its discovery document must name it."
    )
    client_id = models.CharField("client ID", max_length=255, help_text="What the provider calls this portal.")
    client_authentication = models.CharField(
        "how we authenticate there",
        max_length=30,
        choices=ClientAuthentication,
        default=ClientAuthentication.PRIVATE_KEY_JWT,
    )
    encrypted_client_secret = models.BinaryField(default=b"", db_default=b"", editable=False)
    scopes = ArrayField(models.CharField(max_length=100), default=default_scopes)
    name_claim = models.CharField("name", max_length=100, default="name")
    email_claim = models.CharField("email address", max_length=100, default="email")
    verified_claim = models.CharField(
        "email is verified",
        max_length=100,
        default="email_verified",
        blank=True,
        help_text=(
            "The claim that says so. Leave empty where the provider itself hands out every address of the domains."
        ),
    )
    groups_claim = models.CharField("groups", max_length=100, blank=True, default="groups")
    domain_claim = models.CharField(
        "domain",
        max_length=100,
        blank=True,
        help_text="A claim that must be one of its domains, where many customers share the issuer: Google’s “hd”.",
    )
    kept_claims = ArrayField(
        models.CharField(max_length=100),
        verbose_name="claims kept for APIs",
        default=list,
        blank=True,
        help_text="Names, separated by commas. Tokens for APIs can carry them; nothing else of a sign-in is kept.",
    )
    sign_in = models.CharField("sign-in", max_length=10, choices=SignInMode, default=SignInMode.OFF)
    consumers = models.ManyToManyField(
        Consumer,
        blank=True,
        related_name="connections",
        help_text="Whose people it is for. Choose none to offer it to the whole portal.",
    )
    for_operators = models.BooleanField(
        "operators may sign in by it",
        default=False,
        help_text="They still hold a second factor of their own here.",
    )
    operator_claim_value = models.CharField(
        "group of operators",
        max_length=200,
        blank=True,
        help_text="Who has this value in the groups claim becomes an operator, and is none without it.",
    )
    operator_group = models.ForeignKey(
        Group,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="rights of those operators",
        help_text="Never full rights: those are given by a person.",
    )
    max_age = models.PositiveIntegerField(
        "oldest sign-in at the provider",
        null=True,
        blank=True,
        validators=[MinValueValidator(60), MaxValueValidator(30 * 24 * 3600)],
        help_text="In seconds. Leave empty to accept however long ago the person signed in there.",
    )
    source = models.CharField(max_length=10, choices=Source, default=Source.PORTAL, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    required_at = models.DateTimeField(null=True, editable=False)
    tested_at = models.DateTimeField(null=True, editable=False)
    signed_in_at = models.DateTimeField("last sign-in", null=True, editable=False)
    # The last problem that a sign-in had with the provider itself, until one succeeds.
    problem = models.CharField(max_length=300, blank=True, editable=False)
    problem_at = models.DateTimeField(null=True, editable=False)

    objects = ConnectionQuerySet.as_manager()

    # As for people who sign in; what a person writes cannot set them.
    FACTS: ClassVar[tuple[str, ...]] = ("tested_at", "signed_in_at", "problem", "problem_at", "required_at")

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["issuer", "client_id"], name="connection_once"),
            models.CheckConstraint(
                condition=models.Q(sign_in=SignInMode.REQUIRED, required_at__isnull=False)
                | (~models.Q(sign_in=SignInMode.REQUIRED) & models.Q(required_at=None)),
                name="connection_required_since",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def product(self) -> Preset:
        return PRESETS[self.preset]

    @property
    def has_client_secret(self) -> bool:
        return bool(self.encrypted_client_secret)

    @property
    def client_secret(self) -> str:
        """Return the secret in clear, for the provider alone."""
        return fernet().decrypt(bytes(self.encrypted_client_secret)).decode() if self.has_client_secret else ""

    @property
    def state(self) -> str:
        """Return works, unreachable or not_tested, by what happened last."""
        if self.problem:
            return "unreachable"
        return "works" if self.tested_at or self.signed_in_at else "not_tested"

    def serves(self, consumer: Consumer) -> bool:
        """Say whether people come into the consumer's workspace by it."""
        rows = self.consumers.all()
        return not rows or consumer in rows


class DomainQuerySet(models.QuerySet["Domain"]):
    def verified(self) -> Self:
        return self.filter(verified_at__isnull=False)


class Domain(models.Model):
    """An e-mail domain that a connection is for. Until it is verified it only leads people to the connection's page."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="domains")
    name = models.CharField("domain", max_length=253)
    challenge = models.CharField(max_length=40, editable=False)
    verified_at = models.DateTimeField(null=True, editable=False)
    verified_by = models.CharField(max_length=254, blank=True, editable=False)  # DNS, or the operator who vouched
    checked_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DomainQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "name"], name="domain_once"),
            # Whose domain it is decides which accounts a provider speaks for: so there is one.
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(verified_at__isnull=False), name="domain_verified_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RuleKind(models.TextChoices):
    DOMAIN = "domain", "Domain"
    GROUP = "group", "Group"


class JoiningRule(models.Model):
    """Who signs in by the connection and matches becomes a member of the consumer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="rules")
    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="joining_rules")
    kind = models.CharField("by", max_length=10, choices=RuleKind)
    value = models.CharField(max_length=253, help_text="A verified domain of the connection, or a value of its groups.")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "consumer", "kind", "value"], name="joining_rule_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"


def domain_of(email: str) -> str:
    """Return the domain of an address in lower case, "" for what is no address."""
    return email.rpartition("@")[2].strip().lower()
