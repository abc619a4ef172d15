"""The client that a person signs in for."""

from urllib.parse import parse_qs, urlsplit

from django import template
from django.urls import reverse

from authority import client_directory
from clients.models import Client

register = template.Library()


@register.filter
def waiting_app(address: str | None) -> Client | None:
    """Return the client whose authorization request follows the sign-in, or None."""
    try:
        parts = urlsplit(address or "")
    except ValueError:  # a bracket where a host would be
        return None
    names = parse_qs(parts.query).get("client_id", [])
    if parts.path != reverse("authorize") or len(names) != 1:
        return None
    entry = client_directory.find(names[0])
    client: Client | None = entry.client if entry is not None and entry.is_usable else None
    return client
