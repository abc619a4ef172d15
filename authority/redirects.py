"""Where may people be sent? Compared letter by letter, but for the port of a loopback address."""

import re
from collections.abc import Iterable

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
