"""What an address names, within the caller's reach."""

from uuid import UUID

from django.db.models import Q

from clients.models import Client
from consumers.models import Consumer
from consumers.rest.errors import InvalidRequest, NotFound
from consumers.rest.operations import Call


def find(call: Call, client_id: str) -> Client:
    """Return the client. Raises NotFound, whether it exists elsewhere or nowhere."""
    client = Client.objects.select_related("consumer").filter(client_id=client_id, consumer__in=call.readable()).first()
    if client is None:
        raise NotFound
    return client


def find_consumer(call: Call, name: str | None) -> Consumer:
    """Return the consumer that something new is for: the one that is named, or the only one in reach.

    Raises InvalidRequest when it is neither, and AccessDenied for who may only read there.
    """
    if name:
        consumer = call.readable().filter(named(name)).first()
        if consumer is None:
            raise InvalidRequest("This token reaches no consumer of that name.", field="consumer")
        call.require_writable(consumer)
        return consumer
    reached = list(call.writable()[:2])
    if len(reached) != 1:
        raise InvalidRequest(
            "Name the consumer that it is for: a member “consumer”, or “?consumer=…”, with its short name.",
            field="consumer",
        )
    return reached[0]


def named(name: str) -> Q:
    """Match a consumer by short name or ID."""
    try:
        return Q(pk=UUID(name))
    except ValueError:
        return Q(slug=name)
