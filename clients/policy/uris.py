"""Rules for the URIs of a client: for redirects, for browsers, and for requests of this server."""

from functools import partial
from urllib.parse import urlsplit

from clients.errors import InvalidClientMetadata, InvalidRedirectURI
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.policy.common import every
from clients.uris.origins import check_origin
from clients.uris.redirect_uris import check_redirect_uri, problem_of, quoted
from clients.vocabulary import GrantType
from core.http_fetch import target
from core.uris import check_characters

MAX_URIS = 50
MAX_ORIGINS = 50
MAX_LENGTH = 500
PAGES = ("client_uri", "logo_uri", "policy_uri", "tos_uri")


def redirect_uris(metadata: ClientMetadata) -> None:
    """Require redirect URIs with authorization_code, and none without it (RFC 6749 section 3.1.2)."""
    redirects = GrantType.AUTHORIZATION_CODE in metadata.grant_types
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        uris: tuple[str, ...] = getattr(metadata, field)
        if uris and not redirects:
            raise InvalidRedirectURI("Only clients with authorization_code have redirect URIs.", field=field)
        if len(uris) > MAX_URIS:
            raise InvalidRedirectURI(f"Give at most {MAX_URIS} addresses.", field=field)
        if len(set(uris)) != len(uris):
            raise InvalidRedirectURI("Name each address once.", field=field)
        every(partial(check_redirect_uri, uri, field) for uri in uris)
    if redirects and not metadata.redirect_uris:
        raise InvalidRedirectURI("Give at least one redirect URI.", field="redirect_uris")


def allowed_cors_origins(metadata: ClientMetadata) -> None:
    """Require origins in the form that browsers send (Fetch section 3.2)."""
    origins = metadata.allowed_cors_origins
    if len(origins) > MAX_ORIGINS:
        raise InvalidClientMetadata(f"Allow at most {MAX_ORIGINS} origins.", field="allowed_cors_origins")
    if len(set(origins)) != len(origins):
        raise InvalidClientMetadata("Name each origin once.", field="allowed_cors_origins")
    every(partial(check_origin, origin) for origin in origins)


def client_pages(metadata: ClientMetadata) -> None:
    """Check client_uri, logo_uri, policy_uri and tos_uri (RFC 7591 section 2)."""
    every(partial(page_uri, getattr(metadata, field), field) for field in PAGES)


def page_uri(uri: str, field: str) -> None:
    """Require http or https: a javascript or data URI would run in the page that links it (ASVS 5.0, 1.2.2)."""
    if not uri:
        return
    problem = check_characters(uri)
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
        raise InvalidClientMetadata(f"{quoted(uri)}: {problem}", field=field)


def server_to_server_uris(metadata: ClientMetadata, client: Client | None, *, by_operator: bool) -> None:
    """Refuse URIs that only the server's own network reaches, against SSRF (ASVS 5.0, 1.3.6).

    jwks_uri is of RFC 7591 section 2, backchannel_logout_uri of OpenID Connect Back-Channel Logout section 2.2.
    core/http_fetch checks the IP address again when it connects. The hosts of the own network that operators have named
    are theirs to use: a tenant could ask their ports. An address that is registered already may stay.
    """
    registered = ClientMetadata.of(client) if client is not None else None
    for field in ("jwks_uri", "backchannel_logout_uri"):
        uri = getattr(metadata, field)
        if uri and (registered is None or uri != getattr(registered, field)):
            fetchable_uri(uri, field, local=by_operator)
    if metadata.backchannel_logout_session_required and not metadata.backchannel_logout_uri:
        raise InvalidClientMetadata(
            "It asks for a session in logout tokens, but names no backchannel_logout_uri.",
            field="backchannel_logout_session_required",
        )


def fetchable_uri(uri: str, field: str, *, local: bool = True) -> None:
    """Require an https URI that this server may request; `local` exempts FETCH_LOCAL_HOSTS.

    Raises InvalidClientMetadata.
    """
    problem = f"Shorten it to {MAX_LENGTH} characters." if len(uri) > MAX_LENGTH else ""
    try:
        target.target(uri, local=local)
    except target.FetchError as error:
        problem = str(error)
    if problem:
        raise InvalidClientMetadata(f"{quoted(uri)}: {problem[:1].lower()}{problem[1:]}", field=field)


def _web_uri_problem(uri: str) -> str:
    if urlsplit(uri).scheme not in ("http", "https"):
        return "use https."
    return f"shorten it to {MAX_LENGTH} characters." if len(uri) > MAX_LENGTH else ""


def initiate_login_uri(metadata: ClientMetadata) -> None:
    """Require a web address (OpenID Connect Core section 4, initiating login from a third party)."""
    uri = metadata.initiate_login_uri
    if uri and (problem := problem_of(uri) or _web_uri_problem(uri)):
        raise InvalidClientMetadata(f"{quoted(uri)}: {problem}", field="initiate_login_uri")
