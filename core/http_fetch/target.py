"""Which addresses may be fetched.

Whoever may name an address must not make us connect to our own network (server-side request forgery). So an address
is https to a public domain name. Hosts that the operator names in FETCH_LOCAL_HOSTS are exempt: an identity provider
inside the company, or a test's own.
"""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from core.uris import DOMAIN, PRIVATE_DOMAINS, check_characters


class FetchError(Exception):
    """Another server gave nothing that we take. `reason` is for programs, the text for people."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be asked, in its parts."""

    host: str
    port: int
    path: str
    secure: bool
    is_local: bool


def target(url: str, *, local: bool = True) -> Target:
    """Return the address in its parts, unresolved. Raises FetchError ("address") for one that is never asked.

    Without `local` nothing is exempt: so whoever is no operator may name public addresses alone.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FetchError("address", "Its host or port cannot be read.") from None
    host = parts.hostname or ""
    is_local = local and bool({host, f"{host}:{port}"} & set(settings.FETCH_LOCAL_HOSTS))
    if problem := check_characters(url):
        problem = problem[:1].upper() + problem[1:]
    elif "#" in url or "@" in parts.netloc:
        problem = "Leave out user name, password and fragment."
    elif parts.scheme != "https" and not (is_local and parts.scheme == "http"):
        problem = "Use https."
    elif not is_local and (not DOMAIN.fullmatch(host) or host.endswith(PRIVATE_DOMAINS)):
        problem = "Name a public domain, not an IP address or a host of a private network."
    elif port == 0:
        problem = "Name a real port, or none."
    if problem:
        raise FetchError("address", problem)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port or (443 if secure else 80), path, secure, is_local)


def is_public(text: str) -> bool:
    """Say whether an IP address belongs to the public network, and to no other address in disguise."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and not _is_plain(address):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _is_plain(address: ipaddress.IPv6Address) -> bool:
    """Refuse IPv6 addresses that carry an IPv4 one: mapped, compatible, NAT64, 6to4 and Teredo are not in 2000::/3."""
    unicast = ipaddress.ip_network("2000::/3")
    return address in unicast and address.sixtofour is None and address.teredo is None
