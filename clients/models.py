"""What consumers register: clients and their secrets, and the APIs and scopes they may ask for.

The one place that translates to django-oauth-toolkit's names: the properties at the end of Client answer it.
"""

import hmac
import secrets as random
import uuid
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import AbstractApplication
from oauthlib.oauth2.rfc6749.errors import MissingRedirectURIError

from clients import secrets
from clients.vocabulary import IDENTITY_SCOPES, SECRET_METHODS, AuthMethod, GrantType, SigningAlgorithm
from consumers.models import Consumer, User

MAX_LIVE_SECRETS = 5
ACCESS_TOKEN_LIFETIME = 3600  # seconds, where neither the client nor an API says otherwise


class Api(models.Model):
    """An HTTP API of the provider, which access tokens are for."""

    identifier = models.CharField(
        max_length=200,
        unique=True,
        help_text="The audience: tokens carry it as “aud” and the API checks it. Usually the API's address.",
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
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "API"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Scope(models.Model):
    """A permission of one API, under a value that no other API uses, so that it names its audience."""

    api = models.ForeignKey(Api, models.CASCADE, related_name="scopes")
    value = models.CharField(
        max_length=100,
        unique=True,
        help_text="As programs ask for it, such as shipments:read.",
        validators=[RegexValidator(r"^[\x21\x23-\x5b\x5d-\x7e]+$", 'Use printable ASCII without space, “"” or “\\”.')],
    )
    name = models.CharField(max_length=100, help_text="As people read it, such as “Read shipments”.")
    description = models.CharField(max_length=300, blank=True, help_text="What the permission allows, and its cost.")

    class Meta:
        ordering = ["api__name", "id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(value__in=list(IDENTITY_SCOPES)), name="scope_not_openid")
        ]

    def __str__(self) -> str:
        return self.value


class Access(models.Model):
    """A scope that a consumer's clients may have. Taking it away takes it from them at once."""

    consumer = models.ForeignKey(Consumer, models.CASCADE, related_name="access")
    scope = models.ForeignKey(Scope, models.CASCADE, related_name="access")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consumer", "scope"], name="access_once")]

    def __str__(self) -> str:
        return f"{self.consumer}: {self.scope}"


# The toolkit asks in names of its own.
TOOLKIT_GRANTS = {
    AbstractApplication.GRANT_CLIENT_CREDENTIALS: GrantType.CLIENT_CREDENTIALS,
    AbstractApplication.GRANT_AUTHORIZATION_CODE: GrantType.AUTHORIZATION_CODE,
    AbstractApplication.GRANT_DEVICE_CODE: GrantType.DEVICE_CODE,
}


def new_client_id() -> str:
    """Return a name that no person's subject can equal, and that nobody may choose (RFC 9068 section 5)."""
    return "cl_" + "".join(random.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(20))


class ClientQuerySet(models.QuerySet["Client"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(consumer__in=Consumer.objects.visible_to(user))

    def of(self, consumer: Consumer) -> Self:
        return self.filter(consumer=consumer)

    def usable(self) -> Self:
        return self.filter(disabled_at=None, consumer__suspended_at=None)


def strings(**options: Any) -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=2000), default=list, blank=True, **options)


class Client(AbstractApplication):
    """A program that a consumer's people registered, in the names of RFC 7591."""

    consumer = models.ForeignKey(Consumer, models.PROTECT, related_name="clients", editable=False)
    user = models.ForeignKey(  # the person who registered it; the toolkit's cascade would delete the client with them
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    client_id = models.CharField(
        "client ID", max_length=255, unique=True, default=new_client_id, editable=False, db_index=False
    )
    client_name = models.CharField("name", max_length=100)
    description = models.TextField(max_length=1000, blank=True)

    grant_types = strings()
    response_types = strings()
    token_endpoint_auth_method = models.CharField(max_length=30, choices=AuthMethod, default=AuthMethod.BASIC)
    token_endpoint_auth_signing_alg = models.CharField(max_length=10, blank=True)
    scopes = strings(help_text="What it asked for; it gets as much of it as its consumer may have.")
    redirect_uris = strings()
    post_logout_redirect_uris = strings()
    allowed_cors_origins = strings()
    contacts = strings()
    client_uri = models.URLField(max_length=500, blank=True)
    logo_uri = models.URLField(max_length=500, blank=True)
    policy_uri = models.URLField(max_length=500, blank=True)
    tos_uri = models.URLField(max_length=500, blank=True)
    client_jwks = models.JSONField("jwks", null=True, blank=True)
    client_jwks_uri = models.URLField("jwks_uri", max_length=500, blank=True)
    lifespans = models.JSONField(
        default=dict, blank=True, help_text="Seconds by name, such as client_credentials_grant_access_token_lifespan."
    )
    require_pushed_authorization_requests = models.BooleanField(default=False)
    dpop_bound_access_tokens = models.BooleanField(default=False)

    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Columns of the toolkit that properties replace, below.
    hash_client_secret = None
    allowed_origins = None
    algorithm = None

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = "client"
        ordering = ["client_name", "id"]
        indexes = [
            models.Index(fields=["consumer", "client_name", "id"], name="client_list"),
            GinIndex(fields=["allowed_cors_origins"], name="client_origins"),  # a preflight names no client
        ]
        constraints = [
            # A public client cannot prove who it is, so it cannot act for itself (RFC 6749 section 4.4).
            models.CheckConstraint(
                condition=~models.Q(
                    token_endpoint_auth_method="none", grant_types__contains=[GrantType.CLIENT_CREDENTIALS]
                ),
                name="client_public_no_credentials_grant",
            ),
        ]

    def __str__(self) -> str:
        return self.client_name

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    @property
    def is_public(self) -> bool:
        return self.token_endpoint_auth_method == AuthMethod.NONE

    @property
    def holds_secrets(self) -> bool:
        return self.token_endpoint_auth_method in SECRET_METHODS

    @property
    def kind(self) -> str:
        """Return the template that the client fits: service, web, public or other."""
        if self.grant_types == [GrantType.CLIENT_CREDENTIALS]:
            return "service"
        if GrantType.AUTHORIZATION_CODE in self.grant_types:
            return "public" if self.is_public else "web"
        return "other"

    @property
    def scope(self) -> str:
        """Return the registered scope, values parted by spaces (RFC 7591 section 2)."""
        return " ".join(self.scopes)

    def granted_scopes(self) -> models.QuerySet[Scope]:
        """Return the scopes of APIs that it asked for and its consumer may have now."""
        return Scope.objects.select_related("api").filter(value__in=self.scopes, access__consumer_id=self.consumer_id)

    # -- What the toolkit asks ---------------------------------------------------------------------------------------

    client_secret = ""  # secrets are rows of their own
    skip_authorization = False

    @property
    def name(self) -> str:
        return self.client_name

    @property
    def client_type(self) -> str:
        return str(self.CLIENT_PUBLIC if self.is_public else self.CLIENT_CONFIDENTIAL)

    @property
    def authorization_grant_type(self) -> str:
        raise NotImplementedError("a client has several grant types; ask allows_grant_type()")

    def allows_grant_type(self, *grant_types: str) -> bool:
        return any(TOOLKIT_GRANTS.get(grant, grant) in self.grant_types for grant in grant_types)

    def clean(self) -> None:
        """Leave the rules to clients/policy.py, which every door passes."""

    def is_usable(self, request: object) -> bool:
        return not self.is_disabled and not self.consumer.is_suspended

    @property
    def default_redirect_uri(self) -> str:
        if len(self.redirect_uris) != 1:
            raise MissingRedirectURIError()
        return str(self.redirect_uris[0])

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Compare letter by letter (RFC 9700 section 2.1)."""
        return uri in self.redirect_uris

    def post_logout_redirect_uri_allowed(self, uri: str) -> bool:
        return uri in self.post_logout_redirect_uris

    def origin_allowed(self, origin: str) -> bool:
        return origin in self.allowed_cors_origins

    def get_allowed_schemes(self) -> list[str]:
        return ["https", "http"]

    def get_absolute_url(self) -> str:
        return reverse("clients:detail", args=[self.consumer.slug, self.client_id])


class ClientSecretQuerySet(models.QuerySet["ClientSecret"]):
    def live(self) -> Self:
        """Return the secrets that authenticate now."""
        return self.filter(revoked_at=None).filter(models.Q(expires_at=None) | models.Q(expires_at__gt=Now()))

    def listed(self) -> Self:
        """Return the live ones, and those that ended within 30 days, to be recognised in refused requests."""
        since = timezone.now() - timedelta(days=30)
        return self.exclude(expires_at__lt=since).exclude(revoked_at__lt=since)


class ClientSecret(models.Model):
    """One of a client's secrets. Its text is shown at creation and kept nowhere."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=60, blank=True)
    digest = models.CharField(max_length=64, editable=False)
    pepper_version = models.CharField(max_length=10, editable=False)
    hint = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_by_label = models.CharField(max_length=254, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    rotated_at = models.DateTimeField(null=True, editable=False)
    # Rotated with “a day after the new one is first used”: the first use of that secret sets expires_at.
    ends_after_use_of = models.ForeignKey("self", models.SET_NULL, null=True, related_name="predecessors")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_ip = models.GenericIPAddressField(null=True, blank=True)

    objects = ClientSecretQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["client", "digest"], name="secret_once")]

    SOON: ClassVar[timedelta] = timedelta(days=14)

    def __str__(self) -> str:
        return f"••••{self.hint}"

    def __repr__(self) -> str:
        return f"<ClientSecret {self}>"

    @property
    def ended_at(self) -> datetime | None:
        """Return when it stopped working, or None while it works."""
        ends = [moment for moment in (self.expires_at, self.revoked_at) if moment is not None]
        end = min(ends, default=None)
        return end if end is not None and end <= timezone.now() else None

    @property
    def is_live(self) -> bool:
        return self.ended_at is None

    @property
    def state(self) -> str:
        """Return ended, rotating (its successor exists, and it ends some time) or active."""
        if not self.is_live:
            return "ended"
        return "rotating" if self.rotated_at and (self.expires_at or self.ends_after_use_of_id) else "active"

    @property
    def ends_soon(self) -> bool:
        """Say whether it works now, and no longer in SOON."""
        return self.is_live and self.expires_at is not None and self.expires_at <= timezone.now() + self.SOON

    def matches(self, secret: str) -> bool:
        """Say whether the text is this secret, in constant time."""
        mine = secrets.digest(secret, self.pepper_version)
        return bool(mine) and hmac.compare_digest(mine, self.digest)
