"""Redirect URI matching: exact, except for the port of a loopback URI (RFC 9700 section 2.1, RFC 8252 section 7.3)."""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

# A native app listens on any free port (RFC 8252 section 7.3). Only the literal addresses: what “localhost” resolves
# to, others can decide.
LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::(?!0)[0-9]{1,5})?((?:[/?].*)?)", re.DOTALL)


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Return whether the URI is one of the registered ones (RFC 9700 section 2.1)."""
    if uri in registered:
        return True
    requested = LOOPBACK.fullmatch(uri)
    if requested is None:
        return False
    known = (LOOPBACK.fullmatch(candidate) for candidate in registered)
    return any(requested.groups() == match.groups() for match in known if match)


def is_web(uri: str) -> bool:
    """Return whether the URI is of the web, not of an app with a private-use scheme."""
    return uri.startswith(("https:", "http:"))


def with_parameters(uri: str, parameters: Iterable[tuple[str, str]], *, in_fragment: bool = False) -> str:
    """Return a registered URI with parameters added, its own part unchanged (RFC 6749 section 3.1.2)."""
    added = urlencode(list(parameters))
    if in_fragment:
        return f"{uri}#{added}"
    if "?" not in uri:
        return f"{uri}?{added}"
    return uri + ("" if uri.endswith(("?", "&")) else "&") + added


def csp_source(uri: str) -> str:
    """Return the URI's source expression for a Content-Security-Policy: its origin, or an app's scheme."""
    scheme, _, rest = uri.partition(":")
    if scheme not in ("http", "https"):
        return f"{scheme}:"
    return f"{scheme}://{re.split(r'[/?]', rest[2:], maxsplit=1)[0]}"


def display_host(uri: str) -> str:
    """Return the URI as people read it: its host, or the whole URI of an app."""
    place = csp_source(uri)
    return place.partition("://")[2] or uri


def is_local(uri: str) -> bool:
    """Return whether the URI is of a native app: at loopback, or with a private-use scheme."""
    return LOOPBACK.fullmatch(uri) is not None or not is_web(uri)


class RedirectUriDifference(NamedTuple):
    """The nearest registered URI, and how another differs from it."""

    registered: str
    words: str


def nearest_difference(sent: str, registered: Iterable[str]) -> RedirectUriDifference | None:
    """Return how a refused URI differs from the nearest registered one, or None."""
    found = [(_differences(sent, known), known) for known in registered]
    if not found:
        return None
    parts, known = min(found, key=lambda pair: len(pair[0]))
    return RedirectUriDifference(known, f"it differs by {' and '.join(parts)}") if parts else None


def _differences(sent: str, known: str) -> list[str]:
    """Return the names of the parts in which two URIs differ."""
    if sent == known:
        return []
    try:
        one, other = urlsplit(sent), urlsplit(known)
        pairs = [
            ("the scheme", one.scheme, other.scheme),
            ("the host", one.hostname or "", other.hostname or ""),
            ("the port", one.port, other.port),
            ("the path", one.path, other.path),
            ("the query", _names_in(one.query), _names_in(other.query)),
        ]
    except ValueError:
        return ["its form: it is not a valid URI"]
    if one.path != other.path and one.path.rstrip("/") == other.path.rstrip("/"):
        pairs[3] = ("a trailing slash", 1, 0)
    elif one.path != other.path and one.path.lower() == other.path.lower():
        pairs[3] = ("capital letters in the path", 1, 0)
    names = [name for name, mine, theirs in pairs if mine != theirs]
    if one.netloc.lower() == other.netloc.lower() and one.netloc != other.netloc:
        names.append("capital letters in the host")
    return names or ["a few characters"]


def _names_in(query: str) -> list[str]:
    return sorted(parse_qs(query, keep_blank_values=True))
