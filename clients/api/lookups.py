"""Clients of the URL, and consumers of the body."""

from contextlib import suppress

from clients.converters import ClientId
from clients.models import Client
from consumers.models import Consumer
from consumers.rest.lookups import consumer_matches
from consumers.rest.operations import ApiRequest
from core.rest.errors import InvalidRequest, NotFound


def client_at(call: ApiRequest, client_id: str, *, itself: bool = False) -> Client:
    """Return the client, if the caller may read it. Raises NotFound, the same for one that does not exist.

    An ID that is a URL may be written as in the addresses of pages, in base64url after a tilde: one that ends as the
    address of a resource does, such as /secrets, has no other address.

    With `itself`, for a resource below it that the call may change: the client is locked where the call is a change;
    raises AccessDenied where the caller may only read.
    """
    with suppress(ValueError):
        client_id = ClientId().to_python(client_id)
    readable = Client.objects.select_related("consumer").filter(consumer__in=call.readable(), client_id=client_id)
    client = (call.locked(readable) if itself else readable).first()
    if client is None:
        raise NotFound
    if itself:
        call.require_writable(client.consumer)
    return client


def consumer_in_body(name: str) -> Consumer:
    """Return the consumer of that short name or ID, for operators. Raises InvalidRequest."""
    consumer = Consumer.objects.filter(consumer_matches(name)).first()
    if consumer is None:
        raise InvalidRequest("There is no consumer of that name.", field="consumer")
    return consumer
