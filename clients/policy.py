"""May this be registered? One function a rule, each with the specification it comes from."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import partial

from clients.errors import InvalidClientMetadata, InvalidRedirectURI
from clients.metadata import ClientMetadata
from clients.models import Client, Scope
from clients.origins import web_origin
from clients.redirects import redirect_uri
from clients.vocabulary import IDENTITY_SCOPES, AuthMethod, GrantType
from clients.workloads import audience, lifespan, workload
from consumers.errors import Refusal
from consumers.models import Consumer

Policy = Callable[[ClientMetadata], None]

MAX_URIS = 50
MAX_ORIGINS = 50
# Letters by their category that show nothing: Hangul and Braille blanks, and the joiner of graphemes.
BLANKS = "\u034f\u115f\u1160\u2800\u3164\uffa0"


def portal_policy(consumer: Consumer, client: Client | None = None) -> Policy:
    """Return what a manager may register in the consumer's workspace, or make of the client."""

    def check(metadata: ClientMetadata) -> None:
        every(
            partial(rule, metadata)
            for rule in (
                partial(unique_name, consumer=consumer, client=client),
                description,
                grants,
                authentication,
                response_types,
                redirect_uris,
                allowed_cors_origins,
                partial(scope, consumer=consumer),
                some_permission,
                workload,
                audience,
                lifespan,
            )
        )

    return check


def every(checks: Iterable[Callable[[], None]]) -> None:
    """Run each check; raise the first refusal with the others, so that a person corrects everything in one go."""
    refusals: list[Refusal] = []
    for check in checks:
        try:
            check()
        except Refusal as refusal:
            refusals += [refusal, *refusal.others]
    if refusals:
        refusals[0].others = tuple(refusals[1:])
        raise refusals[0]


def name(metadata: ClientMetadata) -> None:
    """Require a name that reads as it is written (RFC 7591 section 2, client_name)."""
    if not metadata.client_name.strip():
        raise InvalidClientMetadata("Give the client a name.", field="client_name")
    if len(metadata.client_name) > 100:
        raise InvalidClientMetadata("Shorten the name to 100 characters.", field="client_name")
    plain_text(metadata.client_name, "client_name", "the name")


def unique_name(metadata: ClientMetadata, consumer: Consumer, client: Client | None = None) -> None:
    """Require a good name that tells a workspace's clients apart; help for people, so a race may slip past it."""
    name(metadata)
    wanted = metadata.client_name.strip()
    others = Client.objects.of(consumer).filter(client_name__iexact=wanted)
    if others.exclude(pk=client.pk if client else None).exists():
        raise InvalidClientMetadata(
            f"Another client is already called “{wanted}”. Choose a name that tells them apart, "
            f"such as “{wanted} (staging)”.",
            field="client_name",
        )


def description(metadata: ClientMetadata) -> None:
    if len(metadata.description) > 1000:
        raise InvalidClientMetadata("Shorten the description to 1,000 characters.", field="description")
    plain_text(re.sub(r"[\r\n\t]", "", metadata.description), "description", "the description")


def plain_text(text: str, field: str, what: str) -> None:
    """Refuse control, direction-changing and unassigned characters, which make a text read as another."""
    for character in text:
        category = unicodedata.category(character)
        if (category[0] == "C" and character != "\u200d") or category in ("Zl", "Zp") or character in BLANKS:
            raise InvalidClientMetadata(
                f"Remove the invisible character U+{ord(character):04X} from {what}.", field=field
            )


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
        raise InvalidClientMetadata("Give jwks or jwks_uri, not both.", field="jwks")
    if method == AuthMethod.PRIVATE_KEY_JWT and not (metadata.jwks or metadata.jwks_uri):
        raise InvalidClientMetadata("private_key_jwt needs the public keys: give jwks or jwks_uri.", field="jwks")


def response_types(metadata: ClientMetadata) -> None:
    """Match the response types to the grants (RFC 7591 section 2.1); only `code` is served (RFC 9700 section 2.1.2)."""
    expected = ("code",) if GrantType.AUTHORIZATION_CODE in metadata.grant_types else ()
    if metadata.response_types != expected:
        raise InvalidClientMetadata(
            "Use the response type code with authorization_code, and none without it.", field="response_types"
        )


def redirect_uris(metadata: ClientMetadata) -> None:
    """Require redirect URIs exactly where a grant redirects (RFC 6749 section 3.1.2)."""
    redirects = GrantType.AUTHORIZATION_CODE in metadata.grant_types
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        uris: tuple[str, ...] = getattr(metadata, field)
        if uris and not redirects:
            raise InvalidRedirectURI("Only clients with authorization_code have redirect URIs.", field=field)
        if len(uris) > MAX_URIS:
            raise InvalidRedirectURI(f"Give at most {MAX_URIS} addresses.", field=field)
        if len(set(uris)) != len(uris):
            raise InvalidRedirectURI("Name each address once.", field=field)
        every(partial(redirect_uri, uri, field) for uri in uris)
    if redirects and not metadata.redirect_uris:
        raise InvalidRedirectURI("Give at least one address that people return to.", field="redirect_uris")


def allowed_cors_origins(metadata: ClientMetadata) -> None:
    """Require origins as browsers send them (Fetch section 3.2), few enough to read."""
    origins = metadata.allowed_cors_origins
    if len(origins) > MAX_ORIGINS:
        raise InvalidClientMetadata(f"Allow at most {MAX_ORIGINS} origins.", field="allowed_cors_origins")
    if len(set(origins)) != len(origins):
        raise InvalidClientMetadata("Name each origin once.", field="allowed_cors_origins")
    every(partial(web_origin, origin) for origin in origins)


def scope(metadata: ClientMetadata, consumer: Consumer) -> None:
    """Allow what the operator gave the consumer, and OpenID Connect's scopes to clients that sign people in."""
    if len(set(metadata.scope)) != len(metadata.scope):
        raise InvalidClientMetadata("Name each permission once.", field="scope")
    allowed = set(Scope.objects.filter(access__consumer=consumer).values_list("value", flat=True))
    if GrantType.AUTHORIZATION_CODE in metadata.grant_types or GrantType.DEVICE_CODE in metadata.grant_types:
        allowed |= set(IDENTITY_SCOPES)
    for value in metadata.scope:
        if value not in allowed:
            raise InvalidClientMetadata(
                f"{consumer} may not use the permission “{value}”. "
                "Choose from those listed, or ask the operator for it.",
                field="scope",
            )


def some_permission(metadata: ClientMetadata) -> None:
    """Ask a client that acts for itself for a permission: its token would open nothing.

    A workload needs none: its identity token is for others.
    """
    if metadata.environment_type:
        return
    if not metadata.scope and GrantType.CLIENT_CREDENTIALS in metadata.grant_types:
        raise InvalidClientMetadata(
            "Choose at least one permission. A token without any cannot call an API.", field="scope"
        )
