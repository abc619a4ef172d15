"""Rules for redirect URIs (RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1).

Redirect URIs are compared by exact string matching, so the rules refuse whatever two parsers could read differently,
and hosts that do not belong to one owner. Each rule returns the problem, or "".
"""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import SplitResult, parse_qsl, urlsplit

from clients.errors import InvalidRedirectURI
from core.uris import DOMAIN, PRIVATE_DOMAINS, check_characters

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")
# A scheme that an app owns by its domain in reverse, such as com.example.app (RFC 8252 section 7.1).
PRIVATE_USE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
# Parameters of the authorization response (RFC 6749 section 4.1.2, RFC 9207 section 2).
RESPONSE_PARAMETERS = {"code", "state", "iss", "error", "error_description", "error_uri"}


def check_redirect_uri(uri: str, field: str = "redirect_uris") -> None:
    """Raises InvalidRedirectURI where problem_of() finds one."""
    if problem := problem_of(uri):
        raise InvalidRedirectURI(f"{quoted(uri)}: {problem}", field=field)


def problem_of(uri: str) -> str:
    """Return the problem with a redirect URI, or ""."""
    if problem := check_characters(uri):
        return problem
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  # reading it is what raises
    except ValueError:
        return "its host or port cannot be read."
    return next(filter(None, (rule(uri, parts) for rule in RULES)), "")


def quoted(uri: str) -> str:
    """Return the URI for an error message, with other than printable ASCII characters escaped."""
    return f"“{ascii(uri[:200])[1:-1]}{'…' if len(uri) > 200 else ''}”"


def _fragment(uri: str, parts: SplitResult) -> str:
    """RFC 6749 section 3.1.2."""
    return "leave out the fragment (#…)." if "#" in uri else ""


def _user_information(uri: str, parts: SplitResult) -> str:
    """RFC 3986 section 7.6: people take user information for the host."""
    return "leave out the user name and password." if "@" in parts.netloc else ""


def _spelling(uri: str, parts: SplitResult) -> str:
    """Case normalization (RFC 3986 section 6.2.2.1)."""
    if not uri.startswith(f"{parts.scheme}:") or parts.netloc != parts.netloc.lower():
        return "write scheme and host in lower case."
    return ""


def _path(uri: str, parts: SplitResult) -> str:
    """RFC 3986 section 5.2.4; some servers remove a segment's parameters before its dot segments."""
    if any(segment.partition(";")[0] in (".", "..") for segment in parts.path.split("/")):
        return "leave out . and .. in the path."
    return ""


def _query(uri: str, parts: SplitResult) -> str:
    """A parameter of the response would be there twice (RFC 6749 section 3.1)."""
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name in RESPONSE_PARAMETERS:
            return f"leave out the parameter {name}, which the response carries itself."
    return ""


def _scheme(uri: str, parts: SplitResult) -> str:
    """RFC 8252 sections 7.1 to 7.3: https, loopback http, or a private-use scheme."""
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        secure = f"https{uri.removeprefix('http')}"
        return f"use https ({secure}), because a sign-in code sent over http can be read on the way."
    if parts.scheme not in ("http", "https"):
        if not PRIVATE_USE_SCHEME.fullmatch(parts.scheme):
            return "use https, or an app's own scheme such as com.example.app:/signed-in."
        if not (parts.netloc or parts.path.strip("/")):
            return f"name a path, such as {parts.scheme}:/signed-in."
    return ""


def _host(uri: str, parts: SplitResult) -> str:
    """Refuse hosts without one owner, such as private networks' (RFC 9700 section 4.11), but for loopback."""
    if parts.scheme not in ("http", "https"):
        return ""
    if not uri.startswith(f"{parts.scheme}://") or not parts.hostname:
        return "name a host."
    if parts.hostname in LOOPBACK_HOSTS:
        return ""
    try:
        address = ipaddress.ip_address(parts.hostname)
    except ValueError:
        if parts.hostname.endswith(PRIVATE_DOMAINS) or parts.hostname.isalpha():
            return "its host is known in a private network only."
        return "" if DOMAIN.fullmatch(parts.hostname) else "its host is no domain name."
    return "" if address.is_global and not address.is_multicast else "its address lies in a private network."


def _port(uri: str, parts: SplitResult) -> str:
    """Scheme-based normalization (RFC 3986 section 6.2.3): no empty port, no zero, no leading zeros."""
    after_host = parts.netloc.rpartition("]")[2]
    if ":" in after_host and not re.fullmatch(r".*:[1-9][0-9]*", after_host):
        return "name a real port, or none."
    return ""


RULES: tuple[Callable[[str, SplitResult], str], ...] = (
    _fragment,
    _user_information,
    _spelling,
    _scheme,
    _host,
    _port,
    _path,
    _query,
)
