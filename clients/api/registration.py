"""Dynamic registration: a consumer's initial access tokens, and open registration."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from clients.actions import registration as registration_actions
from clients.api.lookups import client_at
from clients.models import InitialAccessToken, OpenRegistration, RegistrationAccessToken
from consumers.rest.lookups import consumer_in_path, find_by_uuid
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema, number_schema
from core.rest.errors import NotFound
from core.timefmt import parse_moment

ABOUT: dict[str, Any] = {"tag": "Registration", "model": "clients.client"}
CHANGE = ABOUT | {"scope": "clients:write", "action": "change"}
LIMITS: dict[str, Any] = {
    "grant_types": {
        "type": "array",
        "items": {"type": "string"},
        "maxItems": 10,
        "description": "Leave empty for authorization_code and refresh_token.",
    },
    "scopes": {
        "type": "array",
        "items": {"type": "string"},
        "maxItems": 200,
        "description": "Leave empty for no scope of any API.",
    },
    "client_lifetime_days": number_schema(InitialAccessToken, "client_lifetime_days")
    | {"type": ["integer", "null"], "description": "Days after which the clients expire."},
}
TOKEN_LIMITS = LIMITS | {"grant_types": LIMITS["grant_types"] | {"description": "Leave empty to allow any."}}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
TOKEN: dict[str, Any] = {
    "title": "InitialAccessToken",
    "type": "object",
    "properties": TOKEN_LIMITS
    | {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "hint": {"type": "string", "description": "Its last four characters."},
        "state": {"type": "string", "enum": ["active", "exhausted", "expired", "revoked"]},
        "max_uses": {"type": ["integer", "null"]},
        "use_count": {"type": "integer"},
        "created_at": MOMENT,
        "created_by": {"type": "string"},
        "expires_at": MOMENT,
        "last_used_at": MOMENT,
        "initial_access_token": {"type": "string", "description": "Only in the response that created it."},
    },
}
NEW: dict[str, Any] = {
    "title": "NewInitialAccessToken",
    "type": "object",
    "required": ["name", "expires_at"],
    "properties": TOKEN_LIMITS
    | {
        "name": length_schema(InitialAccessToken, "name") | {"type": "string", "description": "Who will use it."},
        "expires_at": {"type": "string", "format": "date-time"},
        "max_uses": number_schema(InitialAccessToken, "max_uses")
        | {
            "type": ["integer", "null"],
            "default": 1,
            "description": "How many clients may register; null means any number.",
        },
    },
    "additionalProperties": False,
}
REGISTRATION_ACCESS_TOKEN: dict[str, Any] = {
    "title": "RegistrationAccessToken",
    "type": "object",
    "properties": {
        "hint": {"type": "string", "description": "Its last four characters."},
        "created_at": MOMENT,
        "created_by": {
            "type": ["string", "null"],
            "description": "The person with whose right it ends; null where the client got it itself.",
        },
        "expires_at": MOMENT,
    },
}
OPEN_REGISTRATION: dict[str, Any] = {
    "title": "OpenRegistration",
    "type": "object",
    "required": ["consumer"],
    "properties": LIMITS
    | {
        "consumer": {"type": "string", "description": "Short name or ID of the consumer that such clients belong to."},
        "idle_days": number_schema(OpenRegistration, "idle_days")
        | {"type": "integer", "description": "Days after which unused ones are deleted."},
        "max_clients": number_schema(OpenRegistration, "max_clients")
        | {"type": "integer", "description": "No more than this many at a time."},
    },
    "additionalProperties": False,
}


def _token_document(token: InitialAccessToken) -> dict[str, Any]:
    own = ("name", "hint", "state", "max_uses", "use_count", "created_at", "expires_at", "last_used_at", *LIMITS)
    document = {"id": str(token.pk), "created_by": token.created_by_label}
    return document | {name: getattr(token, name) for name in own}


@operation(
    id="listInitialAccessTokens",
    summary="List a consumer's initial access tokens",
    scope="clients:read",
    answers={200: {"type": "array", "items": TOKEN}},
    refusals=(404,),
    **ABOUT,
)
def list_tokens(call: ApiRequest, consumer: str) -> HttpResponse:
    """Those that ended stay listed for a year. Their texts are kept nowhere."""
    return json_response(
        [_token_document(token) for token in consumer_in_path(call, consumer).initial_access_tokens.all()]
    )


@operation(
    id="createInitialAccessToken",
    summary="Create an initial access token",
    body=NEW,
    answers={201: TOKEN},
    example={
        "name": "Mobile builds",
        "expires_at": "2027-01-31T12:00:00Z",
        "max_uses": 10,
        "scopes": ["shipments:read"],
    },
    refusals=(404, 409),
    **CHANGE,
)
@sensitive_variables("text")
def create_token(call: ApiRequest, consumer: str) -> HttpResponse:
    """The answer alone holds the token (RFC 7591 section 3)."""
    owner = consumer_in_path(call, consumer)
    sent = call.body | {"expires_at": parse_moment(call.body["expires_at"])}
    token, text = registration_actions.create_initial_access_token(consumer=owner, actor=call.caller.actor, **sent)
    location = f"{call.request.path.rstrip('/')}/{token.pk}"
    return json_response(_token_document(token), 201, {"Location": location}, once={"initial_access_token": text})


@operation(
    id="getInitialAccessToken",
    summary="Read an initial access token",
    scope="clients:read",
    answers={200: TOKEN},
    refusals=(404,),
    **ABOUT,
)
def get_token(call: ApiRequest, consumer: str, token_id: str) -> HttpResponse:
    """Without its value, which is not stored."""
    return json_response(_token_document(_find_token(call, consumer, token_id)))


@operation(
    id="revokeInitialAccessToken",
    summary="Revoke an initial access token",
    answers={204: "It can no longer be used; clients registered with it are kept."},
    refusals=(404, 409, 412),
    **CHANGE,
)
def revoke_token(call: ApiRequest, consumer: str, token_id: str) -> HttpResponse:
    """At once."""
    token = _find_token(call, consumer, token_id)
    registration_actions.revoke_initial_access_token(token=token, actor=call.caller.actor)
    return no_content()


def _find_token(call: ApiRequest, consumer: str, token_id: str) -> InitialAccessToken:
    return find_by_uuid(call.locked(consumer_in_path(call, consumer).initial_access_tokens.all()), token_id)


@operation(
    id="getRegistrationAccessToken",
    summary="Read a client's registration access token",
    scope="clients:read",
    answers={200: REGISTRATION_ACCESS_TOKEN},
    refusals=(404,),
    **ABOUT,
)
def get_registration_access_token(call: ApiRequest, client_id: str) -> HttpResponse:
    """Without its value, which is not stored. Not found where the client cannot manage itself (RFC 7592)."""
    token = _find_registration_access_token(call, client_id)
    return json_response(
        {
            "hint": token.hint,
            "created_at": token.created_at,
            "created_by": str(token.created_by) if token.created_by else None,
            "expires_at": token.expires_at,
        }
    )


@operation(
    id="revokeRegistrationAccessToken",
    summary="Revoke a client's registration access token",
    answers={204: "The client can no longer change itself."},
    scope="secrets:rotate",
    action="change",
    refusals=(404, 409, 412),
    **ABOUT,
)
def revoke_registration_access_token(call: ApiRequest, client_id: str) -> HttpResponse:
    """At once. The client stays."""
    token = _find_registration_access_token(call, client_id)
    registration_actions.revoke_registration_access_token(client=token.client, actor=call.caller.actor)
    return no_content()


def _find_registration_access_token(call: ApiRequest, client_id: str) -> RegistrationAccessToken:
    """Return the client's token; the action locks its client, so a change of it does. Raises NotFound."""
    live = RegistrationAccessToken.objects.live().select_related("created_by", "client__consumer")
    token = live.filter(client=client_at(call, client_id, itself=True)).first()
    if token is None:
        raise NotFound
    return token


@operation(
    id="getOpenRegistration",
    summary="Read open registration",
    scope="clients:read",
    answers={200: OPEN_REGISTRATION},
    refusals=(403, 404),
    **ABOUT,
)
def get_open_registration(call: ApiRequest) -> HttpResponse:
    """Not found means that registration takes an initial access token."""
    call.require_operator()
    row = call.locked(OpenRegistration.objects.select_related("consumer")).first()
    if row is None:
        raise NotFound
    return json_response(_open_registration_document(row))


@operation(
    id="enableOpenRegistration",
    summary="Open registration for a consumer",
    body=OPEN_REGISTRATION,
    answers={200: OPEN_REGISTRATION},
    example={"consumer": "sandbox", "client_lifetime_days": 30},
    refusals=(403, 404, 409, 412),
    **CHANGE,
)
def enable_open_registration(call: ApiRequest) -> HttpResponse:
    """For operators. Another consumer that was open is not any more."""
    call.require_operator()
    sent = dict(call.body)
    owner = consumer_in_path(call, sent.pop("consumer"))
    return json_response(
        _open_registration_document(
            registration_actions.enable_open_registration(consumer=owner, actor=call.caller.actor, **sent)
        )
    )


@operation(
    id="disableOpenRegistration",
    summary="Close open registration",
    answers={204: "Registration needs an initial access token from now on."},
    refusals=(403, 404, 412),
    **CHANGE,
)
def disable_open_registration(call: ApiRequest) -> HttpResponse:
    """For operators. Clients that registered themselves stay."""
    call.require_operator()
    registration_actions.disable_open_registration(actor=call.caller.actor)
    return no_content()


def _open_registration_document(row: OpenRegistration) -> dict[str, Any]:
    return {"consumer": row.consumer.slug, "idle_days": row.idle_days, "max_clients": row.max_clients} | {
        name: getattr(row, name) for name in LIMITS
    }
