"""Where a client leads people, and where we ask it."""

from functools import partial
from urllib.parse import urlsplit

from clients.errors import InvalidClientMetadata, InvalidRedirectURI
from clients.metadata import ClientMetadata
from clients.policy.common import every
from clients.uris.origins import web_origin
from clients.uris.redirect_uris import complaint, redirect_uri, shown
from clients.vocabulary import GrantType
from core.http_fetch import target
from core.uris import characters

MAX_URIS = 50
MAX_ORIGINS = 50
MAX_LENGTH = 500
PAGES = ("client_uri", "logo_uri", "policy_uri", "tos_uri")


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


def pages(metadata: ClientMetadata) -> None:
    """Pages about the client, which people may open (RFC 7591 section 2)."""
    every(partial(page_address, getattr(metadata, field), field) for field in PAGES)


def page_address(uri: str, field: str) -> None:
    """Require an address that a browser opens as a page, and nothing that runs (ASVS 5.0, 1.2.2)."""
    if not uri:
        return
    problem = characters(uri)
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  # reading it is what raises
    except ValueError:
        problem = "its host or port cannot be read."
    else:
        if not problem and (parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc):
            problem = "write an address of the web, such as https://www.example.com/about."
    if not problem and len(uri) > MAX_LENGTH:
        problem = f"shorten it to {MAX_LENGTH} characters."
    if problem:
        raise InvalidClientMetadata(f"{shown(uri)}: {problem}", field=field)


def fetched(metadata: ClientMetadata) -> None:
    """Addresses that we ask ourselves, so never one that only our network reaches (ASVS 5.0, 1.3.6).

    jwks_uri is of RFC 7591 section 2, backchannel_logout_uri of OpenID Connect Back-Channel Logout section 2.2.
    Whoever fetches checks the network address once more, when it connects.
    """
    for field in ("jwks_uri", "backchannel_logout_uri"):
        if uri := getattr(metadata, field):
            may_be_asked(uri, field)
    if metadata.backchannel_logout_session_required and not metadata.backchannel_logout_uri:
        raise InvalidClientMetadata(
            "It asks for a session in logout tokens, but names no backchannel_logout_uri.",
            field="backchannel_logout_session_required",
        )


def may_be_asked(uri: str, field: str) -> None:
    problem = f"Shorten it to {MAX_LENGTH} characters." if len(uri) > MAX_LENGTH else ""
    try:
        target.target(uri)
    except target.FetchError as error:
        problem = str(error)
    if problem:
        raise InvalidClientMetadata(f"{shown(uri)}: {problem[:1].lower()}{problem[1:]}", field=field)


def _needs_web(uri: str) -> str:
    if urlsplit(uri).scheme not in ("http", "https"):
        return "use https."
    return f"shorten it to {MAX_LENGTH} characters." if len(uri) > MAX_LENGTH else ""


def initiate_login_uri(metadata: ClientMetadata) -> None:
    """An https address at which sign-in begins (OpenID Connect Core section 4)."""
    uri = metadata.initiate_login_uri
    if uri and (problem := complaint(uri) or _needs_web(uri)):
        raise InvalidClientMetadata(f"{shown(uri)}: {problem}", field="initiate_login_uri")
