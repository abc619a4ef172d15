"""What lets clients register themselves: initial access tokens of a consumer, and the open door."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from clients.actions import registration as registration_actions
from clients.models import InitialToken, OpenRegistration
from consumers.rest.lookups import by_id, consumer_at
from consumers.rest.operations import Call, answer, nothing, operation
from core.rest.errors import NotFound
from core.rest.schemas import moment

ABOUT: dict[str, Any] = {"tag": "Registration", "model": "clients.client"}
CHANGE = ABOUT | {"scope": "clients:write", "action": "change"}
LIMITS: dict[str, Any] = {
    "grant_types": {"type": "array", "items": {"type": "string"}, "maxItems": 10, "description": "None means any."},
    "scopes": {"type": "array", "items": {"type": "string"}, "maxItems": 200, "description": "None means any."},
    "client_days": {"type": ["integer", "null"], "minimum": 1, "maximum": 3650, "description": "Clients end after."},
}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
TOKEN: dict[str, Any] = {
    "title": "InitialAccessToken",
    "type": "object",
    "properties": LIMITS
    | {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "hint": {"type": "string", "description": "Its last four characters."},
        "state": {"type": "string", "enum": ["live", "spent", "ended", "revoked"]},
        "uses": {"type": ["integer", "null"]},
        "used": {"type": "integer"},
        "created_at": MOMENT,
        "created_by": {"type": "string"},
        "expires_at": MOMENT,
        "last_used_at": MOMENT,
        "initial_access_token": {"type": "string", "description": "In the answer that made it alone."},
    },
}
NEW: dict[str, Any] = {
    "title": "NewInitialAccessToken",
    "type": "object",
    "required": ["name", "expires_at"],
    "properties": LIMITS
    | {
        "name": {"type": "string", "maxLength": 60, "description": "Who will use it."},
        "expires_at": {"type": "string", "format": "date-time"},
        "uses": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": 100_000,
            "default": 1,
            "description": "How many clients may register; null means any number.",
        },
    },
    "additionalProperties": False,
}
DOOR: dict[str, Any] = {
    "title": "OpenRegistration",
    "type": "object",
    "required": ["consumer"],
    "properties": LIMITS
    | {
        "consumer": {"type": "string", "description": "Short name or ID of the consumer that such clients belong to."},
        "idle_days": {"type": "integer", "minimum": 1, "maximum": 3650, "description": "Unused ones are deleted."},
        "most_clients": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1_000_000,
            "description": "No more than this many at a time.",
        },
    },
    "additionalProperties": False,
}


def _shown(token: InitialToken, text: str | None = None) -> dict[str, Any]:
    own = ("name", "hint", "state", "uses", "used", "created_at", "expires_at", "last_used_at", *LIMITS)
    document = {"id": str(token.pk), "created_by": token.created_by_label}
    document |= {name: getattr(token, name) for name in own}
    return document if text is None else document | {"initial_access_token": text}


@operation(
    id="listInitialAccessTokens",
    summary="List a consumer's initial access tokens",
    scope="clients:read",
    answers={200: {"type": "array", "items": TOKEN}},
    refusals=(404,),
    **ABOUT,
)
def list_tokens(call: Call, consumer: str) -> HttpResponse:
    """Those that ended stay listed for a year. Their texts are kept nowhere."""
    return answer([_shown(token) for token in consumer_at(call, consumer).initial_tokens.all()])


@operation(
    id="createInitialAccessToken",
    summary="Let programs register clients",
    body=NEW,
    answers={201: TOKEN},
    example={"name": "Mobile builds", "expires_at": "2027-01-31T12:00:00Z", "uses": 10},
    refusals=(404, 409),
    **CHANGE,
)
@sensitive_variables("text")
def create_token(call: Call, consumer: str) -> HttpResponse:
    """The answer alone holds the token (RFC 7591 section 3)."""
    owner = consumer_at(call, consumer)
    call.require_writable(owner)
    sent = call.body | {"expires_at": moment(call.body["expires_at"])}
    token, text = registration_actions.create_initial_token(consumer=owner, actor=call.caller.actor, **sent)
    return answer(_shown(token, text), 201)


@operation(
    id="revokeInitialAccessToken",
    summary="End an initial access token",
    answers={204: "It lets nobody register any more; clients that did stay."},
    refusals=(404, 409),
    **CHANGE,
)
def revoke_token(call: Call, consumer: str, token_id: str) -> HttpResponse:
    """At once."""
    owner = consumer_at(call, consumer)
    call.require_writable(owner)
    token = by_id(owner.initial_tokens.all(), token_id)
    registration_actions.revoke_initial_token(token=token, actor=call.caller.actor)
    return nothing()


@operation(
    id="getOpenRegistration",
    summary="Say whether anybody may register clients",
    scope="clients:read",
    answers={200: DOOR},
    refusals=(403, 404),
    **ABOUT,
)
def get_door(call: Call) -> HttpResponse:
    """Not found means that registration takes an initial access token."""
    call.require_operator()
    door = OpenRegistration.objects.select_related("consumer").first()
    if door is None:
        raise NotFound
    return answer(_shown_door(door))


@operation(
    id="enableOpenRegistration",
    summary="Let anybody register clients for one consumer",
    body=DOOR,
    answers={200: DOOR},
    example={"consumer": "sandbox", "client_days": 30},
    refusals=(403, 404, 409),
    **CHANGE,
)
def set_door(call: Call) -> HttpResponse:
    """For operators. Another consumer that was open is not any more."""
    call.require_operator()
    sent = dict(call.body)
    owner = consumer_at(call, sent.pop("consumer"))
    return answer(_shown_door(registration_actions.open_registration(consumer=owner, actor=call.caller.actor, **sent)))


@operation(
    id="disableOpenRegistration",
    summary="Let nobody register without a token",
    answers={204: "Registration takes an initial access token from now on."},
    refusals=(403,),
    **CHANGE,
)
def close_door(call: Call) -> HttpResponse:
    """For operators. Clients that registered themselves stay."""
    call.require_operator()
    registration_actions.close_registration(actor=call.caller.actor)
    return nothing()


def _shown_door(door: OpenRegistration) -> dict[str, Any]:
    return {"consumer": door.consumer.slug, "idle_days": door.idle_days, "most_clients": door.most_clients} | {
        name: getattr(door, name) for name in LIMITS
    }
