"""Clients that an address names, within the caller's reach."""

from clients.models import Client
from consumers.rest.operations import Call
from core.rest.errors import NotFound


def find(call: Call, client_id: str) -> Client:
    """Return the client. Raises NotFound, whether it exists elsewhere or nowhere."""
    mine = Client.objects.select_related("consumer").filter(consumer__in=call.readable())
    client = mine.filter(client_id=client_id).first()
    if client is None:
        raise NotFound
    return client
