"""The provider's APIs, their scopes, and consumers' access to them."""

from typing import Any, Self

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from clients.vocabulary import IDENTITY_SCOPES
from consumers.models import Consumer
from core.jose.algorithms import SigningAlgorithm


class ApiQuerySet(models.QuerySet["Api"]):
    def granted_to(self, consumer: Any) -> Self:
        """Return the APIs of which the consumer may use a scope now, each as often as it has such scopes."""
        return self.filter(_not_ended("scopes__access__"), scopes__access__consumer=consumer)


class ScopeQuerySet(models.QuerySet["Scope"]):
    def granted_to(self, consumer: Any) -> Self:
        """Return the scopes that the consumer may use now."""
        return self.filter(_not_ended("access__"), access__consumer=consumer)


class AccessQuerySet(models.QuerySet["Access"]):
    def live(self) -> Self:
        return self.filter(_not_ended(""))

    def ended(self) -> Self:
        return self.filter(expires_at__lte=Now())


def _not_ended(prefix: str) -> models.Q:
    """Match access that has no end, or ends later; it must stand in one filter() with the access that it is about."""
    return models.Q(**{f"{prefix}expires_at": None}) | models.Q(**{f"{prefix}expires_at__gt": Now()})


class SignInBy(models.TextChoices):
    """Who may sign in to apps that ask for an API's scopes."""

    MEMBERS = "members", "Members of the client’s consumer"
    CONNECTIONS = "connections", "People of chosen connections"
    OWN_LOGIN = "own_login", "Your own login"


class Api(models.Model):
    """A protected resource of the provider: an audience of access tokens (RFC 8707)."""

    identifier = models.CharField(
        max_length=200,
        unique=True,
        help_text="The audience: tokens carry it as “aud” and the API checks it. Usually the API's URL.",
        validators=[RegexValidator(r"^[\x21\x23-\x5b\x5d-\x7e]+$", "Use an absolute URI without spaces or quotes.")],
    )
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    signing_algorithm = models.CharField(
        max_length=5, choices=SigningAlgorithm, default=SigningAlgorithm.ES256, help_text="Signs its access tokens."
    )
    access_token_lifetime = models.PositiveIntegerField(
        "longest access token lifetime",
        default=3600,
        validators=[MinValueValidator(60)],
        help_text="In seconds. Tokens for several APIs live as long as the strictest of them allows.",
    )
    is_production = models.BooleanField(
        "production", default=False, help_text="Serves real data: nobody can create test tokens for it."
    )
    allows_test_tokens = models.BooleanField(
        "test tokens",
        default=False,
        help_text="Managers may create test tokens, with scopes that their clients may have.",
    )
    refresh_token_lifetime = models.PositiveIntegerField(
        "longest sign-in",
        null=True,
        blank=True,
        validators=[MinValueValidator(60)],
        help_text="In seconds. A client can refresh a user's tokens this long; then the user signs in again.",
    )
    resource_servers = models.ManyToManyField(
        "clients.Client",
        blank=True,
        related_name="serves",
        verbose_name="clients of the API itself",
        help_text="With their credentials the API introspects tokens for it (RFC 7662).",
    )
    sign_in = models.CharField(
        "who may sign in", max_length=12, choices=SignInBy, default=SignInBy.MEMBERS, db_default=SignInBy.MEMBERS
    )
    sign_in_connections = models.ManyToManyField(
        "connections.Connection",
        blank=True,
        related_name="apis",
        verbose_name="connections",
        help_text="They become end users at their first sign-in, without any right in the portal.",
    )
    reauthenticate_after = models.PositiveIntegerField(
        "ask again after",
        null=True,
        blank=True,
        validators=[MinValueValidator(60)],
        help_text="In seconds. Whoever signed in longer ago signs in again to let an app in. Refreshing goes on.",
    )
    requires_two_factors = models.BooleanField(
        "two factors",
        default=False,
        db_default=False,
        help_text="Whoever signs in here uses two factors, such as a passkey.",
    )
    asks_consent_each_time = models.BooleanField(
        "ask for consent each time",
        default=False,
        db_default=False,
        help_text="Otherwise an answer is remembered for the same scopes.",
    )
    login_url = models.CharField(
        "login address",
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="We send people here with login_challenge.",
    )
    consent_url = models.CharField(
        "consent address",
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="We send people here with consent_challenge. Leave empty to keep our consent page.",
    )
    logout_url = models.CharField(
        "logout address",
        max_length=500,
        blank=True,
        default="",
        db_default="",
        help_text="We send people here with logout_challenge. Leave empty to keep our page.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ApiQuerySet.as_manager()

    class Meta:
        verbose_name = "API"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(is_production=True, allows_test_tokens=True),
                name="api_production_without_test_tokens",
                violation_error_message="A production API takes no test tokens. Choose one of the two.",
            ),
            models.CheckConstraint(
                condition=~models.Q(sign_in=SignInBy.OWN_LOGIN, login_url=""),
                name="api_own_login_has_address",
                violation_error_message="Enter the address of your login.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Scope(models.Model):
    """A scope of one API. Its value is unique among all APIs, so that it determines the audience."""

    api = models.ForeignKey(Api, models.CASCADE, related_name="scopes")
    value = models.CharField(
        max_length=100,
        unique=True,
        help_text="As programs ask for it, such as shipments:read.",
        validators=[RegexValidator(r"^[\x21\x23-\x5b\x5d-\x7e]+$", 'Use printable ASCII without space, “"” or “\\”.')],
    )
    name = models.CharField(max_length=100, help_text="As people read it, such as “Read shipments”.")
    description = models.CharField(max_length=300, blank=True, help_text="What the permission allows, and its cost.")

    objects = ScopeQuerySet.as_manager()

    class Meta:
        ordering = ["api__name", "id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(value__in=list(IDENTITY_SCOPES)), name="scope_not_openid")
        ]

    def __str__(self) -> str:
        return self.value


class Access(models.Model):
    """A scope that a consumer's clients may be granted, for good or until an end. Deleting it takes effect at once.

    An end takes effect by itself: every query asks for it, and the token path compares it at each use.
    """

    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="access")
    scope = models.ForeignKey(Scope, models.CASCADE, related_name="access")
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = AccessQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consumer", "scope"], name="access_once")]
        indexes = [
            models.Index(fields=["expires_at"], name="access_end", condition=models.Q(expires_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.consumer}: {self.scope}"
