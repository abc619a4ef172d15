"""May this be registered? One function a rule, each with the specification it comes from."""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import urlsplit

from clients.errors import InvalidClientMetadata, InvalidRedirectURI
from clients.metadata import ClientMetadata
from clients.models import IDENTITY_SCOPES, AuthMethod, GrantType, Scope
from consumers.models import Consumer

Policy = Callable[[ClientMetadata], None]

MAX_URIS = 50
MAX_URI_LENGTH = 2000
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
# A scheme that an app owns by its domain in reverse, such as com.example.app (RFC 8252 section 7.1).
PRIVATE_USE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")


def portal_policy(consumer: Consumer) -> Policy:
    """Return what a manager may register in the consumer's workspace."""

    def check(metadata: ClientMetadata) -> None:
        name(metadata)
        description(metadata)
        grants(metadata)
        authentication(metadata)
        response_types(metadata)
        redirect_uris(metadata)
        scope(metadata, consumer)

    return check


def name(metadata: ClientMetadata) -> None:
    """Require a name that reads as it is written (RFC 7591 section 2, client_name)."""
    if not metadata.client_name.strip():
        raise InvalidClientMetadata("Give the client a name.", field="client_name")
    if len(metadata.client_name) > 100:
        raise InvalidClientMetadata("Shorten the name to 100 characters.", field="client_name")
    plain_text(metadata.client_name, "client_name", "the name")


def description(metadata: ClientMetadata) -> None:
    if len(metadata.description) > 1000:
        raise InvalidClientMetadata("Shorten the description to 1,000 characters.", field="description")
    plain_text(re.sub(r"[\r\n\t]", "", metadata.description), "description", "the description")


def plain_text(text: str, field: str, what: str) -> None:
    """Refuse control, direction-changing and unassigned characters, which make a text read as another."""
    for character in text:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and character != "\u200d":
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
    if GrantType.AUTHORIZATION_CODE not in metadata.grant_types:
        if metadata.redirect_uris:
            raise InvalidRedirectURI("Only clients with authorization_code have redirect URIs.", field="redirect_uris")
        return
    if not metadata.redirect_uris:
        raise InvalidRedirectURI("Give at least one address that people return to.", field="redirect_uris")
    if len(metadata.redirect_uris) > MAX_URIS:
        raise InvalidRedirectURI(f"Give at most {MAX_URIS} redirect URIs.", field="redirect_uris")
    for uri in metadata.redirect_uris:
        redirect_uri(uri)
    for uri in metadata.post_logout_redirect_uris:
        redirect_uri(uri, field="post_logout_redirect_uris")


def redirect_uri(uri: str, field: str = "redirect_uris") -> None:
    """Refuse whatever two programs could read in two ways (RFC 6749 section 3.1.2, RFC 8252, RFC 9700 section 2.1)."""

    def refuse(why: str) -> InvalidRedirectURI:
        return InvalidRedirectURI(f"{uri[:200]!a}: {why}", field=field)

    if len(uri) > MAX_URI_LENGTH:
        raise refuse(f"shorten it to {MAX_URI_LENGTH:,} characters.")
    if not re.fullmatch(r"[\x21-\x7e]+", uri):
        raise refuse("write it in ASCII without spaces; encode other characters with % or punycode.")
    if re.search(r'[\\<>"^`{|}*]', uri):
        raise refuse("leave out wildcards, backslashes, quotes, brackets and braces.")
    if re.search(r"%(?![0-9A-Fa-f]{2})|%(00|0[ad]|2f|5c|2e)", uri, re.IGNORECASE):
        raise refuse("leave out encoded slashes, dots and control characters.")
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        raise refuse("its host or port cannot be read.") from None
    if "#" in uri:
        raise refuse("leave out the fragment (#…).")
    if "@" in parts.netloc:
        raise refuse("leave out the user name and password.")
    if any(segment in (".", "..") for segment in parts.path.split("/")):
        raise refuse("leave out . and .. in the path.")
    if parts.scheme in ("https", "http"):
        if not parts.hostname:
            raise refuse("name a host.")
        if port == 0:
            raise refuse("name a real port.")
        if uri[: len(parts.scheme) + 3].lower() != f"{parts.scheme}://" or parts.netloc != parts.netloc.lower():
            raise refuse("write scheme and host in lower case.")
        loopback = parts.hostname in LOOPBACK_HOSTS
        if parts.scheme == "http" and not loopback:
            raise refuse("use https; http is only for 127.0.0.1, [::1] and localhost.")
        if not loopback:
            public_host(parts.hostname, refuse)
    elif not PRIVATE_USE_SCHEME.fullmatch(parts.scheme):
        raise refuse("use https, or an app's own scheme such as com.example.app:/signed-in.")


def public_host(host: str, refuse: Callable[[str], InvalidRedirectURI]) -> None:
    """Refuse hosts that lie in somebody's private network (RFC 9700 section 4.11)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if not re.fullmatch(
            r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?", host
        ):
            raise refuse("its host is no domain name.") from None
    else:
        if not address.is_global:
            raise refuse("its address lies in a private network.")


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
                f"{consumer} may not use the permission “{value}”. Choose from those listed, or ask the operator for it.",
                field="scope",
            )
