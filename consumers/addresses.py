"""Where requests come from."""

from allauth.core.internal.httpkit import get_client_ip
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest


def caller_ip(request: HttpRequest) -> str | None:
    """Return the address of the caller, trusting as many proxies as are configured."""
    try:
        return get_client_ip(request)  # type: ignore[no-any-return]
    except ImproperlyConfigured:  # fewer addresses in X-Forwarded-For than there are proxies: it did not pass them all
        return request.META.get("REMOTE_ADDR")
