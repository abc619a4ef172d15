"""Token introspection and revocation, compatible with Ory's admin API (/admin/oauth2)."""

from typing import Any

from django.http import HttpResponse

from authority.endpoints.decorators import read_form
from authority.protocol.errors import InvalidRequestError
from authority.tokens.introspection import INACTIVE, introspect
from clients.actions import clients as client_actions
from clients.models import Client
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.rest.errors import InvalidRequest, NotFound

ABOUT: dict[str, Any] = {"tag": "Tokens", "model": "clients.client"}
TEXT = {"type": "string"}
FORM: dict[str, Any] = {
    "title": "IntrospectionRequest",
    "type": "object",
    "required": ["token"],
    "properties": {
        "token": TEXT,
        "token_type_hint": TEXT,
        "scope": TEXT | {"description": "Answer active only when the token has all of these scopes."},
    },
}
INTROSPECTION: dict[str, Any] = {
    "title": "Introspection",
    "type": "object",
    "required": ["active"],
    "properties": {
        "active": {"type": "boolean"},
        "client_id": TEXT,
        "scope": TEXT,
        "sub": TEXT,
        "aud": {"type": "array", "items": TEXT},
        "exp": {"type": "integer"},
        "iat": {"type": "integer"},
        "token_use": TEXT | {"description": "access_token, refresh_token, or test."},
    },
}


@operation(
    id="introspectOAuth2Token",
    summary="Introspect a token",
    scope="tokens:read",
    body=FORM,
    media_types=("application/x-www-form-urlencoded",),
    answers={200: INTROSPECTION},
    example={"token": "eyJhbGciOi…"},
    shows_state=False,
    **ABOUT,
)
def introspect_token(call: ApiRequest) -> HttpResponse:
    """RFC 7662. A token of a client beyond reach is like an unknown one: not active."""
    try:
        sent = read_form(call.request)
    except InvalidRequestError as error:
        raise InvalidRequest(error.description) from None
    if "token" not in sent:
        raise InvalidRequest("token is missing.", field="token")
    found = introspect(sent["token"])
    if found["active"]:
        mine = Client.objects.filter(client_id=found["client_id"], consumer__in=call.readable())
        wanted = set(sent.get("scope", "").split())
        if not mine.exists() or not wanted <= set(found["scope"].split()):
            found = INACTIVE
        else:  # Ory's programs read a list alone; RFC 7662 section 2.2 allows either
            audience = found.get("aud", [])
            found = found | {"aud": [audience] if isinstance(audience, str) else audience}
    return json_response(found)


@operation(
    id="deleteOAuth2Token",
    summary="Revoke all tokens of a client",
    scope="clients:write",
    action="change",
    query={"client_id": TEXT | {"description": "The client."}},
    answers={204: "All tokens issued so far are revoked."},
    refusals=(404, 409),
    **ABOUT,
)
def delete_tokens(call: ApiRequest) -> HttpResponse:
    """APIs that only check signatures accept them until they expire; introspection tells at once."""
    if "client_id" not in call.query:
        raise InvalidRequest("Name the client: “?client_id=…”.", field="client_id")
    mine = Client.objects.select_related("consumer").filter(consumer__in=call.readable())
    client = mine.filter(client_id=call.query["client_id"]).first()
    if client is None:
        raise NotFound
    call.require_writable(client.consumer)
    client_actions.revoke_tokens(client=client, actor=call.caller.actor)
    return no_content()
