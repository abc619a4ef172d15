"""The registered values that a client's metadata may hold, and how people read them."""

from django.db import models

# The scopes of OpenID Connect Core section 5.4 and 11; every client that signs people in may have them.
IDENTITY_SCOPES = {
    "openid": ("Sign people in", "Learn who the person is."),
    "profile": ("Name", "The person’s name."),
    "email": ("Email address", "The person’s address, and whether it is verified."),
    "offline_access": ("Stay signed in", "Go on working after the person has left."),
}


class AuthMethod(models.TextChoices):
    """Token endpoint authentication methods (RFC 7591 section 2).

    For the tokens of other issuers no name is registered; the section allows an absolute URI in its place, and this one
    is registered for exactly such assertions (RFC 7523 section 2.2).
    """

    BASIC = "client_secret_basic", "Secret, in the Authorization header"
    POST = "client_secret_post", "Secret, in the request body"
    PRIVATE_KEY_JWT = "private_key_jwt", "Signed assertion"
    FEDERATED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "Identity of its platform"
    NONE = "none", "None (public client)"


SECRET_METHODS = (AuthMethod.BASIC, AuthMethod.POST)
PROVING_METHODS = (*SECRET_METHODS, AuthMethod.PRIVATE_KEY_JWT, AuthMethod.FEDERATED)


class GrantType(models.TextChoices):
    """Grant types that a client may register (RFC 7591 section 2)."""

    CLIENT_CREDENTIALS = "client_credentials"
    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class TokenStrategy(models.TextChoices):
    """What a client's access tokens are: readable by their API, or a reference that it asks us about."""

    JWT = "jwt", "JWT (RFC 9068)"
    OPAQUE = "opaque", "Opaque"


class EnvironmentType(models.TextChoices):
    """What a workload's deployment is for."""

    PRODUCTION = "production", "Production"
    PREVIEW = "preview", "Preview"
    DEVELOPMENT = "development", "Development"


class ApplicationType(models.TextChoices):
    """OpenID Connect Registration section 2."""

    WEB = "web", "Web"
    NATIVE = "native", "Native"


# Token lifetimes that a client may set, by Ory's names.
LIFESPANS = (
    *(f"authorization_code_grant_{token}_token_lifespan" for token in ("access", "id", "refresh")),
    "client_credentials_grant_access_token_lifespan",
    *(f"device_authorization_grant_{token}_token_lifespan" for token in ("access", "id", "refresh")),
    *(f"refresh_token_grant_{token}_token_lifespan" for token in ("access", "id", "refresh")),
    "identity_token_lifespan",  # of workloads; ours
)
