"""Look-ups of consumers and rows that a path or a body names, within the caller's reach."""

from uuid import UUID

from django.db.models import Model, Q, QuerySet

from consumers.models import Consumer
from consumers.rest.operations import ApiRequest
from core.rest.errors import AccessDenied, InvalidRequest, NotFound


def consumer_matches(name: str, prefix: str = "") -> Q:
    """Match a consumer, or what belongs to it, by the consumer's short name or ID."""
    try:
        return Q(**{f"{prefix}pk": UUID(name)})
    except ValueError:
        return Q(**{f"{prefix}slug": name})


def consumer_in_path(call: ApiRequest, name: str, *, itself: bool = False) -> Consumer:
    """Return the consumer of the address, for what the call does. Raises NotFound and AccessDenied.

    It is locked where the call changes the consumer `itself`.
    """
    found = call.readable().filter(consumer_matches(name))
    consumer = (call.locked(found) if itself else found).first()
    if consumer is None:
        raise NotFound
    call.require_writable(consumer)
    return consumer


def consumer_for(call: ApiRequest, name: str | None) -> Consumer:
    """Return the consumer that something new is for: the one that is named, or the only one in reach.

    Raises InvalidRequest when it is neither, and AccessDenied for who may only read there.
    """
    if name:
        consumer = call.readable().filter(consumer_matches(name)).first()
        if consumer is None:
            raise InvalidRequest("This token reaches no consumer of that name.", field="consumer")
        call.require_writable(consumer)
        return consumer
    reached = list(call.writable()[:2])
    if not reached and call.readable().exists():
        raise AccessDenied("This needs a manager of the consumer, or an operator who may do it.")
    if len(reached) != 1:
        raise InvalidRequest(
            "Name the consumer that it is for: a member “consumer”, or “?consumer=…”, with its short name.",
            field="consumer",
        )
    return reached[0]


def parse_id(text: str) -> int:
    """Return an id of the address as a number. Raises NotFound for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFound
    return int(text)


def find_by_uuid[M: Model](rows: QuerySet[M], text: str) -> M:
    """Return the row of which the address has the UUID. Raises NotFound, also for what is none."""
    try:
        row = rows.filter(pk=UUID(text)).first()
    except ValueError:
        row = None
    if row is None:
        raise NotFound
    return row
