"""A client as its registration describes it: RFC 7591 section 2, in the registered names."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from clients.models import Client
from clients.uris.origins import origins_of
from clients.vocabulary import ApplicationType, AuthMethod, EnvironmentType, GrantType, TokenStrategy

# Where the model's name differs from the registered one.
MODEL_NAMES = {"scope": "scopes", "jwks": "client_jwks", "jwks_uri": "client_jwks_uri"}


@dataclass(frozen=True, kw_only=True)
class ClientMetadata:
    """What a door hands to the policy and the actions. `scope` is a tuple of values here, a string on the wire."""

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
    owner: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    software_id: str = ""
    software_version: str = ""
    localized: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, client: Client) -> Self:
        """Return a registered client's metadata."""
        values: dict[str, Any] = {name: getattr(client, MODEL_NAMES.get(name, name)) for name in names()}
        return cls(**{name: _frozen(value) for name, value in values.items()})

    def write_to(self, client: Client) -> list[str]:
        """Put the metadata into the row, unsaved; return the registered names that changed."""
        before = ClientMetadata.of(client)
        for name in names():
            value = getattr(self, name)
            setattr(client, MODEL_NAMES.get(name, name), list(value) if isinstance(value, tuple) else value)
        return [name for name in names() if getattr(before, name) != getattr(self, name)]

    def but(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def leading_to(self, redirect_uris: tuple[str, ...]) -> Self:
        """Return it with these redirect URIs, and for a public client with their origins: its pages exchange the code.

        Origins that were allowed besides those of its former redirect URIs stay.
        """
        if self.token_endpoint_auth_method != AuthMethod.NONE:
            return self.but(redirect_uris=redirect_uris)
        former = origins_of(self.redirect_uris)
        others = (origin for origin in self.allowed_cors_origins if origin not in former)
        origins = dict.fromkeys((*origins_of(redirect_uris), *others))
        return self.but(redirect_uris=redirect_uris, allowed_cors_origins=tuple(origins))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def names() -> list[str]:
    return [item.name for item in fields(ClientMetadata)]


# What each template of the portal sets; a door adds name, scope and URIs.
TEMPLATES: dict[str, ClientMetadata] = {
    "service": ClientMetadata(grant_types=(GrantType.CLIENT_CREDENTIALS,)),
    "workload": ClientMetadata(
        grant_types=(GrantType.CLIENT_CREDENTIALS,), environment_type=EnvironmentType.PRODUCTION
    ),
    "web": ClientMetadata(
        grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN), response_types=("code",)
    ),
    "device": ClientMetadata(
        grant_types=(GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN), token_endpoint_auth_method=AuthMethod.NONE
    ),
    "public": ClientMetadata(
        grant_types=(GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
        response_types=("code",),
        token_endpoint_auth_method=AuthMethod.NONE,
    ),
}
