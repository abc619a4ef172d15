"""Rules for grant types, response types and client authentication."""

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.vocabulary import SECRET_METHODS, ApplicationType, AuthMethod, GrantType
from consumers.models import Consumer
from core.jose import jwk
from core.jose.algorithms import ALGORITHMS


def grant_types(metadata: ClientMetadata) -> None:
    """Allow the supported grant types, in valid combinations (RFC 7591 section 2.1, RFC 9700 section 2.4)."""
    if not metadata.grant_types:
        raise InvalidClientMetadata("Choose at least one grant type.", field="grant_types")
    for grant in metadata.grant_types:
        if grant not in GrantType.values:
            raise InvalidClientMetadata(
                f"The grant type “{grant}” is not offered. Use {', '.join(GrantType.values)}.", field="grant_types"
            )
    if len(set(metadata.grant_types)) != len(metadata.grant_types):
        raise InvalidClientMetadata("Name each grant type once.", field="grant_types")
    if metadata.grant_types == (GrantType.REFRESH_TOKEN,):
        raise InvalidClientMetadata(
            "refresh_token needs a grant that issues the first refresh token, such as authorization_code.",
            field="grant_types",
        )


NO_SECRETS = (
    "{} may not use client secrets. Let the client sign its requests with its own key (private_key_jwt), or ask the "
    "operator of this portal."
)


def authentication_method(metadata: ClientMetadata) -> None:
    """Require a supported method that fits the grant types (RFC 6749 section 4.4, RFC 7591 section 2)."""
    method = metadata.token_endpoint_auth_method
    if method not in AuthMethod.values:
        raise InvalidClientMetadata(
            f"The authentication method “{method}” is not offered. Use {', '.join(AuthMethod.values)}.",
            field="token_endpoint_auth_method",
        )
    if method == AuthMethod.NONE and GrantType.CLIENT_CREDENTIALS in metadata.grant_types:
        raise InvalidClientMetadata(
            "A public client cannot use client_credentials, because anybody could impersonate it. "
            "Give it an authentication method.",
            field="token_endpoint_auth_method",
        )
    if metadata.jwks and metadata.jwks_uri:
        raise InvalidClientMetadata("Give the public keys (jwks) or their URL (jwks_uri), not both.", field="jwks")
    if method == AuthMethod.PRIVATE_KEY_JWT and not (metadata.jwks or metadata.jwks_uri):
        raise InvalidClientMetadata(
            "Give the client's public keys (jwks), or the URL where it publishes them (jwks_uri).", field="jwks"
        )


def secrets_allowed(metadata: ClientMetadata, consumer: Consumer, client: Client | None) -> None:
    """Refuse a method with secrets where the operator allows none; a client that has such a method keeps it."""
    unchanged = client is not None and client.holds_secrets
    if metadata.token_endpoint_auth_method in SECRET_METHODS and not consumer.secrets_allowed and not unchanged:
        raise InvalidClientMetadata(NO_SECRETS.format(consumer), field="token_endpoint_auth_method")


def response_types(metadata: ClientMetadata) -> None:
    """Match response types to grant types (RFC 7591 section 2.1); only `code` is supported (RFC 9700 section 2.1.2)."""
    expected = ("code",) if GrantType.AUTHORIZATION_CODE in metadata.grant_types else ()
    if metadata.response_types != expected:
        raise InvalidClientMetadata(
            "Use the response type code with authorization_code, and none without it.", field="response_types"
        )


def assertion_algorithm(metadata: ClientMetadata) -> None:
    """Check token_endpoint_auth_signing_alg (OpenID Connect Registration section 2)."""
    algorithm = metadata.token_endpoint_auth_signing_alg
    if not algorithm:
        return
    if algorithm not in ALGORITHMS:
        raise InvalidClientMetadata(
            f"Sign assertions with one of {', '.join(ALGORITHMS)}.", field="token_endpoint_auth_signing_alg"
        )
    if metadata.token_endpoint_auth_method != AuthMethod.PRIVATE_KEY_JWT:
        raise InvalidClientMetadata(
            "Only private_key_jwt uses this. Leave it out.", field="token_endpoint_auth_signing_alg"
        )
    if metadata.jwks and not jwk.candidates(metadata.jwks, None, algorithm):
        raise InvalidClientMetadata(
            f"None of the keys makes signatures with {algorithm}.", field="token_endpoint_auth_signing_alg"
        )


def jwks(metadata: ClientMetadata) -> None:
    """Require public keys that can verify signatures (RFC 7591 section 2, jwks)."""
    if metadata.jwks is not None:
        try:
            jwk.check(metadata.jwks)
        except jwk.UnfitKey as reason:
            raise InvalidClientMetadata(str(reason), field="jwks") from None


def application_type(metadata: ClientMetadata) -> None:
    """Require web or native (OpenID Connect Registration section 2)."""
    if metadata.application_type not in ApplicationType.values:
        raise InvalidClientMetadata("Use web or native.", field="application_type")
