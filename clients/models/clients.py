"""Registered clients, with the field names of RFC 7591 section 2.

The properties at the end of Client translate them to the names that django-oauth-toolkit reads.
"""

import secrets
from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from oauth2_provider.models import AbstractApplication
from oauthlib.oauth2.rfc6749.errors import MissingRedirectURIError

from clients.models.apis import Scope
from clients.vocabulary import (
    SECRET_METHODS,
    ApplicationType,
    AuthMethod,
    ClientKind,
    EnvironmentType,
    GrantType,
    OperatorRight,
    TokenStrategy,
    signs_users_in,
)
from consumers.models import Consumer, User

ACCESS_TOKEN_LIFETIME = 3600  # seconds, where neither the client nor an API says otherwise

# django-oauth-toolkit's names of grant types.
TOOLKIT_GRANTS = {
    AbstractApplication.GRANT_CLIENT_CREDENTIALS: GrantType.CLIENT_CREDENTIALS,
    AbstractApplication.GRANT_AUTHORIZATION_CODE: GrantType.AUTHORIZATION_CODE,
    AbstractApplication.GRANT_DEVICE_CODE: GrantType.DEVICE_CODE,
}


def new_client_id() -> str:
    """Return a random client ID; its prefix keeps it apart from the subjects of people (RFC 9068 section 5)."""
    return "cl_" + "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(20))


class ClientQuerySet(models.QuerySet["Client"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(consumer__in=Consumer.objects.visible_to(user))

    def of(self, consumer: Consumer) -> Self:
        return self.filter(consumer=consumer)

    def usable(self) -> Self:
        expired = models.Q(expires_at__lte=Now())
        return self.filter(disabled_at=None, consumer__suspended_at=None).exclude(expired)

    def of_kind(self, kind: str) -> Self:
        """Return the clients whose `kind` is this one of ClientKind."""
        workload = ~models.Q(environment_type="")
        service = models.Q(grant_types=[GrantType.CLIENT_CREDENTIALS])
        code = models.Q(grant_types__contains=[GrantType.AUTHORIZATION_CODE])
        public = models.Q(token_endpoint_auth_method=AuthMethod.NONE)
        device = models.Q(grant_types__contains=[GrantType.DEVICE_CODE]) & ~code & ~service
        conditions = {
            ClientKind.WORKLOAD: workload,
            ClientKind.SERVICE: service & ~workload,
            ClientKind.WEB: code & ~public & ~workload,
            ClientKind.PUBLIC: code & public & ~workload,
            ClientKind.DEVICE: device & ~workload,
            ClientKind.OTHER: ~service & ~code & ~device & ~workload,
        }
        return self.filter(conditions[ClientKind(kind)])


def _string_list(**options: Any) -> "ArrayField[list[str], list[str]]":
    return ArrayField(models.CharField(max_length=2000), default=list, blank=True, **options)


class Client(AbstractApplication):
    """An OAuth client of a consumer (RFC 7591 section 2)."""

    consumer = models.ForeignKey(Consumer, models.PROTECT, related_name="clients", editable=False)
    user = models.ForeignKey(  # who registered it; overrides the toolkit's CASCADE, which would delete the client too
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    client_id = models.CharField(
        "client ID", max_length=255, unique=True, default=new_client_id, editable=False, db_index=False
    )
    client_name = models.CharField("name", max_length=100)
    description = models.TextField(max_length=1000, blank=True)

    grant_types = _string_list()
    response_types = _string_list()
    token_endpoint_auth_method = models.CharField(max_length=60, choices=AuthMethod, default=AuthMethod.BASIC)
    token_endpoint_auth_signing_alg = models.CharField(max_length=10, blank=True)
    scopes = _string_list(help_text="Requested scopes; it gets those that its consumer may use.")
    redirect_uris = _string_list()
    post_logout_redirect_uris = _string_list()
    allowed_cors_origins = _string_list()
    contacts = _string_list()
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

    # Tokens: format, audience, and the grace period of refresh token rotation.
    access_token_strategy = models.CharField(max_length=10, choices=TokenStrategy, default=TokenStrategy.JWT)
    audience = _string_list(help_text="What it may name as resource besides the APIs of its scopes (RFC 8707).")
    require_resource = models.BooleanField(default=False)
    refresh_token_grace = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(30)],
        help_text="Seconds in which the refresh token that was exchanged last may come again.",
    )
    id_token_signed_response_alg = models.CharField(max_length=10, blank=True)
    userinfo_signed_response_alg = models.CharField(max_length=10, blank=True)

    # Sign-in and logout (OpenID Connect Registration section 2, Back-Channel Logout section 2.2).
    application_type = models.CharField(max_length=10, choices=ApplicationType, default=ApplicationType.WEB)
    default_max_age = models.PositiveIntegerField(null=True, blank=True)
    require_auth_time = models.BooleanField(default=False)
    default_acr_values = _string_list()
    initiate_login_uri = models.URLField(max_length=500, blank=True)
    backchannel_logout_uri = models.URLField(max_length=500, blank=True)
    backchannel_logout_session_required = models.BooleanField(default=False)
    skip_consent = models.BooleanField(default=False, help_text="Operators alone decide: people are not asked.")
    skip_logout_consent = models.BooleanField(default=False)

    # Claims of a workload's identity tokens; only workloads have an environment_type.
    project = models.CharField(max_length=63, blank=True)
    deployment = models.CharField(max_length=63, blank=True)
    environment_type = models.CharField(max_length=11, choices=EnvironmentType, blank=True)
    identity_token_audience = _string_list(
        db_default=[], help_text="Whom its identity tokens may be for. No access token is for them."
    )

    # Descriptive metadata.
    owner = models.CharField(max_length=200, blank=True, help_text="A free label; the consumer owns the client.")
    metadata = models.JSONField(default=dict, blank=True)
    software_id = models.CharField(max_length=200, blank=True)
    software_version = models.CharField(max_length=100, blank=True)
    localized = models.JSONField(
        default=dict, blank=True, help_text="Texts in other languages, such as client_name#de (RFC 7591 section 2.2)."
    )

    # Not client metadata: state, and what operators set.
    claims = models.JSONField(
        default=dict,
        blank=True,
        help_text="Claims that every access token of the client carries, besides its consumer's.",
    )
    tokens_valid_after = models.DateTimeField(null=True, blank=True, editable=False)
    people_signed_out_at = models.DateTimeField(null=True, editable=False)  # all of them: sign-ins until then are over
    expires_at = models.DateTimeField(null=True, blank=True, help_text="It stops working then.")
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    # Fields of the toolkit that the properties below replace.
    hash_client_secret = None
    allowed_origins = None
    algorithm = None

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = "client"
        permissions = OperatorRight.choices
        ordering = ["client_name", "id"]
        indexes = [
            models.Index(fields=["consumer", "client_name", "id"], name="client_list"),
            models.Index(fields=["client_name", "id"], name="client_names"),
            GinIndex(fields=["allowed_cors_origins"], name="client_origins"),  # a preflight request has no client ID
        ]
        constraints = [
            # A public client cannot authenticate, so it has no client_credentials grant (RFC 6749 section 4.4).
            models.CheckConstraint(
                condition=~models.Q(
                    token_endpoint_auth_method="none", grant_types__contains=[GrantType.CLIENT_CREDENTIALS]
                ),
                name="client_public_no_credentials_grant",
            ),
            models.CheckConstraint(condition=models.Q(refresh_token_grace__lte=30), name="client_grace_is_short"),
        ]

    def __str__(self) -> str:
        return self.client_name or self.client_id

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at is not None

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def signed_out_until(self) -> datetime | None:
        """Return until when everybody's sign-ins at the client have been ended, with its tokens or its consumer's."""
        moments = (self.people_signed_out_at, self.tokens_valid_after, self.consumer.tokens_valid_after)
        return max((moment for moment in moments if moment is not None), default=None)

    @property
    def is_public(self) -> bool:
        return self.token_endpoint_auth_method == AuthMethod.NONE

    @property
    def is_federated(self) -> bool:
        """Whether it authenticates with tokens of its platform (workload identity federation)."""
        return self.token_endpoint_auth_method == AuthMethod.FEDERATED

    @property
    def holds_secrets(self) -> bool:
        return self.token_endpoint_auth_method in SECRET_METHODS

    @property
    def is_workload(self) -> bool:
        return bool(self.environment_type)

    @property
    def uses_devices(self) -> bool:
        return GrantType.DEVICE_CODE in self.grant_types

    @property
    def signs_in(self) -> bool:
        """Whether it acts on behalf of users."""
        return signs_users_in(self.grant_types)

    @property
    def kind(self) -> ClientKind:
        """Return the template that the client fits; ClientQuerySet.of_kind() is the same in SQL."""
        if self.is_workload:
            return ClientKind.WORKLOAD
        if self.grant_types == [GrantType.CLIENT_CREDENTIALS]:
            return ClientKind.SERVICE
        if GrantType.AUTHORIZATION_CODE in self.grant_types:
            return ClientKind.PUBLIC if self.is_public else ClientKind.WEB
        return ClientKind.DEVICE if self.uses_devices else ClientKind.OTHER

    @property
    def revision(self) -> str:
        """Return what If-Match compares of the client; its secrets are resources of their own."""
        return self.revision_at(self.updated)

    def revision_at(self, updated: datetime) -> str:
        """Return the revision that the client had after its change at that time."""
        return f"{self.pk:x}-{int(updated.timestamp() * 1_000_000):x}"

    @property
    def scope(self) -> str:
        """Return the registered scope as a space-separated string (RFC 7591 section 2)."""
        return " ".join(self.scopes)

    def granted_scopes(self) -> models.QuerySet[Scope]:
        """Return the registered API scopes that its consumer may use now."""
        return Scope.objects.select_related("api").granted_to(self.consumer_id).filter(value__in=self.scopes)

    # -- Names of django-oauth-toolkit --------------------------------------------------------------------------------

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
        """Do nothing: clients/policy/ holds the rules."""

    def is_usable(self, request: object) -> bool:
        return not self.is_disabled and not self.is_expired and not self.consumer.is_suspended

    @property
    def default_redirect_uri(self) -> str:
        if len(self.redirect_uris) != 1:
            raise MissingRedirectURIError()
        return str(self.redirect_uris[0])

    def redirect_uri_allowed(self, uri: str) -> bool:
        """Compare by exact string matching (RFC 9700 section 2.1)."""
        return uri in self.redirect_uris

    def post_logout_redirect_uri_allowed(self, uri: str) -> bool:
        return uri in self.post_logout_redirect_uris

    def origin_allowed(self, origin: str) -> bool:
        return origin in self.allowed_cors_origins

    def get_allowed_schemes(self) -> list[str]:
        return ["https", "http"]

    def get_absolute_url(self) -> str:
        return reverse("clients:detail", args=[self.consumer.slug, self.client_id])
