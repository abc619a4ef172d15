"""How a client gets tokens, and how it proves who it is."""

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.vocabulary import SECRET_METHODS, ApplicationType, AuthMethod, GrantType
from consumers.models import Consumer
from core.jose import jwk


def grants(metadata: ClientMetadata) -> None:
    """Allow the grants that we serve, in combinations that make sense (RFC 7591 section 2.1, RFC 9700 section 2.4)."""
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
    "{} may not use client secrets. Let the client sign its requests with a key of its own (private_key_jwt), "
    "or ask the operator of this portal."
)


def authentication(metadata: ClientMetadata) -> None:
    """Require a method that we serve and that fits the grants (RFC 6749 section 4.4, RFC 7591 section 2)."""
    method = metadata.token_endpoint_auth_method
    if method not in AuthMethod.values:
        raise InvalidClientMetadata(
            f"The authentication method “{method}” is not offered. Use {', '.join(AuthMethod.values)}.",
            field="token_endpoint_auth_method",
        )
    if method == AuthMethod.NONE and GrantType.CLIENT_CREDENTIALS in metadata.grant_types:
        raise InvalidClientMetadata(
            "A public client cannot use client_credentials, because anybody could claim to be it. "
            "Give it an authentication method.",
            field="token_endpoint_auth_method",
        )
    if metadata.jwks and metadata.jwks_uri:
        raise InvalidClientMetadata("Give the public keys (jwks) or their address (jwks_uri), not both.", field="jwks")
    if method == AuthMethod.PRIVATE_KEY_JWT and not (metadata.jwks or metadata.jwks_uri):
        raise InvalidClientMetadata(
            "Give the client's public keys (jwks), or the address where it publishes them (jwks_uri).", field="jwks"
        )


def secrets(metadata: ClientMetadata, consumer: Consumer, client: Client | None) -> None:
    """Refuse a method with secrets where the operator allows none; a client that has one already keeps it."""
    keeps = client is not None and client.holds_secrets
    if metadata.token_endpoint_auth_method in SECRET_METHODS and not consumer.secrets_allowed and not keeps:
        raise InvalidClientMetadata(NO_SECRETS.format(consumer), field="token_endpoint_auth_method")


def response_types(metadata: ClientMetadata) -> None:
    """Match the response types to the grants (RFC 7591 section 2.1); only `code` is served (RFC 9700 section 2.1.2)."""
    expected = ("code",) if GrantType.AUTHORIZATION_CODE in metadata.grant_types else ()
    if metadata.response_types != expected:
        raise InvalidClientMetadata(
            "Use the response type code with authorization_code, and none without it.", field="response_types"
        )


def assertion_algorithm(metadata: ClientMetadata) -> None:
    """RFC 7591 section 2 and OpenID Connect Registration section 2, token_endpoint_auth_signing_alg."""
    algorithm = metadata.token_endpoint_auth_signing_alg
    if not algorithm:
        return
    if algorithm not in jwk.ALGORITHMS:
        raise InvalidClientMetadata(
            f"Sign assertions with one of {', '.join(jwk.ALGORITHMS)}.", field="token_endpoint_auth_signing_alg"
        )
    if metadata.token_endpoint_auth_method != AuthMethod.PRIVATE_KEY_JWT:
        raise InvalidClientMetadata(
            "Only private_key_jwt signs anything. Leave it out.", field="token_endpoint_auth_signing_alg"
        )
    if metadata.jwks and not jwk.candidates(metadata.jwks, None, algorithm):
        raise InvalidClientMetadata(
            f"None of the keys makes signatures with {algorithm}.", field="token_endpoint_auth_signing_alg"
        )


def keys(metadata: ClientMetadata) -> None:
    """Public keys alone, that can be used (RFC 7591 section 2, jwks)."""
    if metadata.jwks is not None:
        try:
            jwk.check(metadata.jwks)
        except jwk.UnfitKey as reason:
            raise InvalidClientMetadata(str(reason), field="jwks") from None


def application_type(metadata: ClientMetadata) -> None:
    """OpenID Connect Registration section 2."""
    if metadata.application_type not in ApplicationType.values:
        raise InvalidClientMetadata("Use web or native.", field="application_type")
