"""Web origins (RFC 6454) in the serialization of the Origin header: scheme, host, and a port that is not the default.

The port counts for loopback addresses too. A native app may redirect to any (RFC 8252 section 7.3), because it takes a
free one; a page that may read responses is on a fixed port.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from clients.errors import InvalidClientMetadata
from clients.uris.redirect_uris import problem_of, quoted

DEFAULT_PORTS = {"https": 443, "http": 80}


def origin_of(uri: str) -> str:
    """Return the origin of an http or https URI that may be registered; "" for any other."""
    if problem_of(uri):
        return ""
    parts = urlsplit(uri)
    if parts.scheme not in DEFAULT_PORTS:
        return ""
    return f"{parts.scheme}://{parts.netloc.removesuffix(f':{DEFAULT_PORTS[parts.scheme]}')}"


def origins_of(uris: Iterable[str]) -> tuple[str, ...]:
    """Return the origins of the http and https URIs among these, each once."""
    return tuple(dict.fromkeys(filter(None, map(origin_of, uris))))


def check_origin(value: str) -> None:
    """Refuse what no browser sends as an origin, and http but for loopback. Raises InvalidClientMetadata.

    The header is compared by exact string matching, so another spelling would never match.
    """
    problem = problem_of(value)
    if not problem and origin_of(value) != value:
        problem = "write scheme, host and port alone, such as https://app.example.com, and leave out a usual port."
    if problem:
        raise InvalidClientMetadata(f"{quoted(value)}: {problem}", field="allowed_cors_origins")
