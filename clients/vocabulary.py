"""The values that clients and their metadata may have, with the labels that people read."""

from collections.abc import Collection

from django.db import models

# The scopes of OpenID Connect Core sections 5.4 and 11; every client that signs users in may have them.
IDENTITY_SCOPES = {
    "openid": ("Sign in users", "Identify the user."),
    "profile": ("Name", "The user’s name."),
    "email": ("Email", "The user’s email address, and whether it is verified."),
    "offline_access": ("Stay signed in", "Keep access while the user is away (refresh token)."),
}


# Whoever sets one of these members can authenticate as the client, or receives its codes.
CREDENTIAL_MEMBERS = frozenset(
    {"token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "jwks", "jwks_uri", "redirect_uris"}
)
# By these a client is trusted: those, and what operators alone decide.
TRUST_MEMBERS = CREDENTIAL_MEMBERS | {"skip_consent", "skip_logout_consent", "audience"}


class OperatorRight(models.TextChoices):
    """What operators may do to clients besides Django's rights: changing one stops it, and lets nobody in."""

    HANDLE_SECRETS = "handle_secrets", "Can create and rotate secrets"
    DECIDE_TRUST = "decide_trust", "Can decide keys, redirect URIs, trust rules and consent"


class RoleSource(models.TextChoices):
    """Who gave a person a role in an API. What one source gives, no other takes."""

    OPERATOR = "operator", "Operator"
    MANAGER = "manager", "Manager"
    CONNECTION = "connection", "Groups of a connection"
    LOGIN = "login", "Sign-in"


class AuthMethod(models.TextChoices):
    """Token endpoint authentication methods (RFC 7591 section 2).

    No method name is registered for assertions of other issuers. The section allows an absolute URI as a method name;
    this one is registered for such assertions (RFC 7523 section 2.2).
    """

    BASIC = "client_secret_basic", "Client secret in the Authorization header"
    POST = "client_secret_post", "Client secret in the request body"
    PRIVATE_KEY_JWT = "private_key_jwt", "Signed assertion (private key)"
    FEDERATED = (
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "Workload identity federation",
    )
    NONE = "none", "None (public client)"


SECRET_METHODS = (AuthMethod.BASIC, AuthMethod.POST)
CONFIDENTIAL_METHODS = (*SECRET_METHODS, AuthMethod.PRIVATE_KEY_JWT, AuthMethod.FEDERATED)


class GrantType(models.TextChoices):
    """Grant types that a client may register (RFC 7591 section 2)."""

    CLIENT_CREDENTIALS = "client_credentials"
    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


# The grants in which a user authorizes the client.
USER_GRANTS = frozenset((GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE))


def signs_users_in(grant_types: Collection[str]) -> bool:
    """Whether a client with these grant types acts on behalf of users, so that it may have IDENTITY_SCOPES."""
    return not USER_GRANTS.isdisjoint(grant_types)


class ClientKind(models.TextChoices):
    """The template that a client fits, by its grant types and authentication method."""

    SERVICE = "service", "Service"
    WORKLOAD = "workload", "Workload"
    WEB = "web", "Web app"
    PUBLIC = "public", "Single-page or mobile app"
    DEVICE = "device", "Command line or TV app"
    OTHER = "other", "Other"


class ClientState(models.TextChoices):
    """The state of a client: disabled, or what follows from its secrets."""

    ACTIVE = "active", "Active"
    ROTATING = "rotating", "Rotating"
    DISABLED = "disabled", "Disabled"
    EXPIRED = "expired", "Expired"
    NO_SECRET = "no_secret", "No secret"


class SecretState(models.TextChoices):
    """The state of a client secret. A rotating one has a successor, and an end to come."""

    ACTIVE = "active", "Active"
    ROTATING = "rotating", "Rotating"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"


class LastUse(models.TextChoices):
    """When a client authenticated last, as lists filter by it."""

    DAY = "day", "Last 24 hours"
    MONTH = "month", "Last 30 days"
    LONG_AGO = "long", "Over 90 days ago"
    NEVER = "never", "Never"


class TokenStrategy(models.TextChoices):
    """The format of a client's access tokens: self-contained, or a reference for introspection (RFC 7662)."""

    JWT = "jwt", "JWT (RFC 9068)"
    OPAQUE = "opaque", "Opaque"


class EnvironmentType(models.TextChoices):
    """The environment of a workload's deployment."""

    PRODUCTION = "production", "Production"
    PREVIEW = "preview", "Preview"
    DEVELOPMENT = "development", "Development"


class ApplicationType(models.TextChoices):
    """OpenID Connect Registration section 2."""

    WEB = "web", "Web"
    NATIVE = "native", "Native"


# Token lifetimes that a client may set, in the names of Ory's client API.
LIFESPANS = (
    *(f"authorization_code_grant_{token}_token_lifespan" for token in ("access", "id", "refresh")),
    "client_credentials_grant_access_token_lifespan",
    *(f"device_authorization_grant_{token}_token_lifespan" for token in ("access", "id", "refresh")),
    *(f"refresh_token_grant_{token}_token_lifespan" for token in ("access", "id", "refresh")),
    "identity_token_lifespan",  # of workloads; not one of Ory's
)
