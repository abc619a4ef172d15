"""The claims of a client's access tokens (/admin/clients/{client_id}/claims)."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse

from clients.actions import clients as client_actions
from clients.api.clients import client_for_change, client_response
from clients.api.lookups import client_at
from clients.schemas import CLIENT
from consumers.rest.operations import ApiRequest, operation

CLAIMS: dict[str, Any] = {"title": "Claims", "type": "object", "description": "By name; {} for none."}


@operation(
    id="setClientClaims",
    summary="Set the claims of a client's tokens",
    tag="Clients",
    body=CLAIMS,
    answers={200: CLIENT},
    example={"tier": "gold"},
    scope="clients:write",
    model="clients.client",
    action="change",
    refusals=(404, 409, 412),
)
def set_claims(call: ApiRequest, client_id: str) -> HttpResponse:
    """Operators do this. Its next access tokens carry exactly these, besides its consumer's."""
    call.require_operator()
    with transaction.atomic():
        client_actions.set_claims(client=client_for_change(call, client_id), claims=call.body, actor=call.caller.actor)
    return client_response(client_at(call, client_id))
