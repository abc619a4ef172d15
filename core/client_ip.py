"""The IP address that a request comes from."""

from ipaddress import IPv6Address, ip_address

from allauth.core.internal.httpkit import get_client_ip
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest


def caller_ip(request: HttpRequest) -> str | None:
    """Return the address of the caller, trusting as many proxies as are configured."""
    try:
        ip: str | None = get_client_ip(request)
    except ImproperlyConfigured:  # fewer addresses in X-Forwarded-For than there are proxies: it did not pass them all
        ip = request.META.get("REMOTE_ADDR")
    return _as_ipv4(ip) if ip and ip.startswith("::ffff:") else ip


def _as_ipv4(ip: str) -> str:
    """Return the address of a caller by IPv4 to a socket of IPv6, which else would share one /64 with all others."""
    address = ip_address(ip)
    return str(address.ipv4_mapped or ip) if isinstance(address, IPv6Address) else ip
