"""Connections of the URL and of the body, for operators."""

from django.db.models import QuerySet

from connections.models import Connection
from consumers.rest.lookups import find_by_uuid
from consumers.rest.operations import ApiRequest
from core.rest.errors import AccessDenied, InvalidRequest


def require_operator(call: ApiRequest) -> None:
    """Refuse all but operators, and tokens that reach one workspace: a connection decides who people are everywhere."""
    call.require_operator()
    if call.caller.consumer_id is not None:
        raise AccessDenied("This token reaches one workspace alone, and connections are the whole portal’s.")


def connection_at(call: ApiRequest, name: str) -> Connection:
    """Return the connection of this short name or ID, locked where the call is a change. Raises NotFound."""
    require_operator(call)
    rows: QuerySet[Connection] = call.locked(Connection.objects.all())
    found = rows.filter(slug=name).first()
    return find_by_uuid(rows, name) if found is None else found


def connection_in_body(name: str) -> Connection:
    """Return the connection of this short name. Raises InvalidRequest."""
    found = Connection.objects.filter(slug=name).first()
    if found is None:
        raise InvalidRequest("There is no connection of that short name.", field="connection")
    return found
