"""The end of all of a client's tokens, as Ory's admin API knows it (/admin/oauth2)."""

from typing import Any

from django.http import HttpResponse

from clients import actions
from clients.models import Client
from consumers.rest.errors import InvalidRequest, NotFound
from consumers.rest.operations import Call, nothing, operation

ABOUT: dict[str, Any] = {"tag": "Tokens", "model": "clients.client"}
TEXT = {"type": "string"}


@operation(
    id="deleteOAuth2Token",
    summary="End all tokens of a client",
    scope="clients:write",
    action="change",
    query={"client_id": TEXT | {"description": "Whose tokens."}},
    answers={204: "Every token that it got until now has ended."},
    refusals=(404, 409),
    **ABOUT,
)
def delete_tokens(call: Call) -> HttpResponse:
    """APIs that check tokens by themselves go on taking them until they expire; introspection tells at once."""
    if "client_id" not in call.query:
        raise InvalidRequest("Name the client: “?client_id=…”.", field="client_id")
    mine = Client.objects.select_related("consumer").filter(consumer__in=call.readable())
    client = mine.filter(client_id=call.query["client_id"]).first()
    if client is None:
        raise NotFound
    call.require_writable(client.consumer)
    actions.revoke_tokens(client=client, actor=call.caller.actor)
    return nothing()
