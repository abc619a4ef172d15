"""Web origins (RFC 6454) as a browser writes them into the Origin header: scheme, host, and a port unless usual.

Of a loopback address too the port counts. Redirects of native apps may go to any (RFC 8252 section 7.3), because such
an app takes whichever is free; a page that may read answers is on a port that its developer has chosen.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from clients.errors import InvalidClientMetadata
from clients.uris.redirect_uris import complaint, shown

USUAL_PORTS = {"https": 443, "http": 80}


def origin_of(uri: str) -> str:
    """Return the origin of a web address that may be registered, and "" for any other and for an app's own scheme."""
    if complaint(uri):
        return ""
    parts = urlsplit(uri)
    if parts.scheme not in USUAL_PORTS:
        return ""
    return f"{parts.scheme}://{parts.netloc.removesuffix(f':{USUAL_PORTS[parts.scheme]}')}"


def origins_of(uris: Iterable[str]) -> tuple[str, ...]:
    """Return the origins of the web addresses among these, each once."""
    return tuple(dict.fromkeys(filter(None, map(origin_of, uris))))


def web_origin(value: str) -> None:
    """Refuse what no browser sends as an origin, and http beyond the person's own machine.

    The header is compared letter by letter, so another spelling would never match. Raises InvalidClientMetadata.
    """
    problem = complaint(value)
    if not problem and origin_of(value) != value:
        problem = "write scheme, host and port alone, such as https://app.example.com, and leave out a usual port."
    if problem:
        raise InvalidClientMetadata(f"{shown(value)}: {problem}", field="allowed_cors_origins")
