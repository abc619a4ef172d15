"""Client metadata (RFC 7591 section 2), in the registered names."""

import dataclasses
from dataclasses import dataclass, field, fields
from typing import Any, Self

from clients.models import Client
from clients.uris.origins import origins_of
from clients.vocabulary import (
    LIFESPANS,
    ApplicationType,
    AuthMethod,
    ClientKind,
    EnvironmentType,
    GrantType,
    TokenStrategy,
)

# Where the model's name differs from the registered one.
MODEL_NAMES = {"scope": "scopes", "jwks": "client_jwks", "jwks_uri": "client_jwks_uri"}


@dataclass(frozen=True, kw_only=True)
class ClientMetadata:
    """Client metadata, as policies and actions take it. `scope` is a tuple of values here, a string in documents."""

    client_name: str = ""
    description: str = ""
    grant_types: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ()
    token_endpoint_auth_method: str = AuthMethod.BASIC
    token_endpoint_auth_signing_alg: str = ""
    scope: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    allowed_cors_origins: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    jwks: dict[str, Any] | None = None
    jwks_uri: str = ""
    lifespans: dict[str, int] = field(default_factory=dict)
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    access_token_strategy: str = TokenStrategy.JWT
    audience: tuple[str, ...] = ()
    require_resource: bool = False
    refresh_token_grace: int = 0  # seconds
    id_token_signed_response_alg: str = ""
    userinfo_signed_response_alg: str = ""
    application_type: str = ApplicationType.WEB
    default_max_age: int | None = None  # seconds
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    initiate_login_uri: str = ""
    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False
    skip_consent: bool = False
    skip_logout_consent: bool = False
    project: str = ""
    deployment: str = ""
    environment_type: str = ""  # of workloads alone
    identity_token_audience: tuple[str, ...] = ()
    owner: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    software_id: str = ""
    software_version: str = ""
    localized: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, client: Client) -> Self:
        """Return a registered client's metadata."""
        values: dict[str, Any] = {name: getattr(client, MODEL_NAMES.get(name, name)) for name in field_names()}
        return cls(**{name: _frozen(value) for name, value in values.items()})

    def write_to(self, client: Client) -> list[str]:
        """Set the client's fields without saving; return the registered names that changed."""
        before = ClientMetadata.of(client)
        for name in field_names():
            value = getattr(self, name)
            setattr(client, MODEL_NAMES.get(name, name), list(value) if isinstance(value, tuple) else value)
        return [name for name in field_names() if getattr(before, name) != getattr(self, name)]

    def member(self, name: str) -> Any:
        """Return the value of a member of the client's document, such as `client_name#de` or a lifetime."""
        if "#" in name:
            return self.localized.get(name)
        return self.lifespans.get(name) if name in LIFESPANS else getattr(self, name)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with these changes."""
        return dataclasses.replace(self, **changes)

    def with_redirect_uris(self, redirect_uris: tuple[str, ...]) -> Self:
        """Return a copy with these redirect URIs; a public client's pages exchange the code, so their origins follow.

        Allowed origins besides those of the former redirect URIs stay.
        """
        if self.token_endpoint_auth_method != AuthMethod.NONE:
            return self.replace(redirect_uris=redirect_uris)
        former = origins_of(self.redirect_uris)
        others = (origin for origin in self.allowed_cors_origins if origin not in former)
        origins = dict.fromkeys((*origins_of(redirect_uris), *others))
        return self.replace(redirect_uris=redirect_uris, allowed_cors_origins=tuple(origins))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def field_names() -> list[str]:
    return [item.name for item in fields(ClientMetadata)]


# The metadata of each template of the portal, but for name, scope and URIs.
TEMPLATES: dict[str, ClientMetadata] = {
    ClientKind.SERVICE: ClientMetadata(grant_types=(GrantType.CLIENT_CREDENTIALS,)),
    ClientKind.WORKLOAD: ClientMetadata(
        grant_types=(GrantType.CLIENT_CREDENTIALS,), environment_type=EnvironmentType.PRODUCTION
    ),
    ClientKind.WEB: ClientMetadata(
        grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN), response_types=("code",)
    ),
    ClientKind.DEVICE: ClientMetadata(
        grant_types=(GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN), token_endpoint_auth_method=AuthMethod.NONE
    ),
    ClientKind.PUBLIC: ClientMetadata(
        grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
        response_types=("code",),
        token_endpoint_auth_method=AuthMethod.NONE,
    ),
}
