"""Where may people be sent? Compared letter by letter, but for the port of a loopback address."""

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

# An app on the person's own machine listens on whatever port is free (RFC 8252 section 7.3). Only the literal
# addresses: what “localhost” is, others can decide.
LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::(?!0)[0-9]{1,5})?((?:[/?].*)?)", re.DOTALL)


def allowed(uri: str, registered: Iterable[str]) -> bool:
    """Say whether the URI is one of the registered (RFC 9700 section 2.1)."""
    if uri in registered:
        return True
    asked = LOOPBACK.fullmatch(uri)
    if asked is None:
        return False
    known = (LOOPBACK.fullmatch(candidate) for candidate in registered)
    return any(asked.groups() == match.groups() for match in known if match)


def is_web(uri: str) -> bool:
    """Say whether the place is a page, not an app with a scheme of its own."""
    return uri.startswith(("https:", "http:"))


def carrying(uri: str, parameters: Iterable[tuple[str, str]], *, in_fragment: bool = False) -> str:
    """Return a registered address with parameters added to it, itself unchanged (RFC 6749 section 3.1.2)."""
    added = urlencode(list(parameters))
    if in_fragment:
        return f"{uri}#{added}"
    if "?" not in uri:
        return f"{uri}?{added}"
    return uri + ("" if uri.endswith(("?", "&")) else "&") + added


def origin(uri: str) -> str:
    """Return what a Content-Security-Policy calls the place: scheme, host and port, or an app's own scheme."""
    scheme, _, rest = uri.partition(":")
    if scheme not in ("http", "https"):
        return f"{scheme}:"
    return f"{scheme}://{re.split(r'[/?]', rest[2:], maxsplit=1)[0]}"


def host(uri: str) -> str:
    """Return the place as a person reads it: the host, or the whole URI of an app."""
    place = origin(uri)
    return place.partition("://")[2] or uri


def is_local(uri: str) -> bool:
    """Say whether the place is an app on the person's own device: at loopback, or with an own scheme."""
    return LOOPBACK.fullmatch(uri) is not None or not is_web(uri)


class Difference(NamedTuple):
    """The registered address that is the nearest, and in what the other differs from it."""

    registered: str
    words: str


def difference(sent: str, registered: Iterable[str]) -> Difference | None:
    """Say in what an address that was refused differs from the nearest of the registered ones."""
    found = [(_differences(sent, known), known) for known in registered]
    if not found:
        return None
    parts, known = min(found, key=lambda pair: len(pair[0]))
    return Difference(known, f"it differs by {' and '.join(parts)}") if parts else None


def _differences(sent: str, known: str) -> list[str]:
    """Return every part in which two addresses differ, in the words of a page."""
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
        return ["its form: it is no address that can be read"]
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
