"""The connection that is offered where somebody is about to prove an address, such as on an invitation's page."""

from urllib.parse import urlencode

from django.urls import reverse

from connections.models import Connection, SignInMode
from consumers.views.invitations import Offer


def offers_for(email: str, next_url: str) -> list[Offer]:
    """Return the connection of the address's domain, leading back to the page; at most one."""
    found = Connection.objects.of_address(email).first()
    if found is None:
        return []
    address = f"{reverse('connections:login', args=[found.slug])}?{urlencode({'next': next_url, 'login_hint': email})}"
    return [Offer(found.name, address, found.sign_in == SignInMode.REQUIRED)]
