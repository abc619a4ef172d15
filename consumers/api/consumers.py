"""Consumers: the customers, partners and services whose managers share a workspace (/admin/consumers)."""

from typing import Any

from django.db.models import Q
from django.http import HttpResponse

from consumers.actions import consumers as consumer_actions
from consumers.models import Consumer
from consumers.rest.lookups import consumer_at
from consumers.rest.operations import Call, answer, nothing, operation
from core.rest import patch
from core.rest.paging import PAGING, page
from core.rest.schemas import Schema, check

ABOUT: dict[str, Any] = {"tag": "Consumers", "model": "consumers.consumer"}
CHANGE = ABOUT | {"scope": "consumers:write", "action": "change"}
SECONDS = {"type": ["integer", "null"], "minimum": 60, "maximum": 2**31 - 1}
WRITABLE: dict[str, Schema] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 100, "description": "As people read it."},
    "slug": {"type": "string", "maxLength": 50, "description": "Short name in addresses: a-z, 0-9, “-” and “_”."},
    "external_id": {"type": ["string", "null"], "maxLength": 200, "description": "Its number in your own systems."},
    "metadata": {"type": "object", "description": "Anything that you keep with it. Operators alone see it."},
    "claims": {"type": "object", "description": "Claims that every access token of its clients carries."},
    "access_token_lifetime": SECONDS | {"description": "Of every access token, at most; null: as the APIs allow."},
    "refresh_token_lifetime": SECONDS | {"description": "Of every sign-in, at most; null: as the APIs allow."},
    "test_token_lifetime": {
        "type": "integer",
        "minimum": 60,
        "maximum": 2**31 - 1,
        "description": "In seconds, at most.",
    },
    "test_token_claims": {
        "type": "array",
        "items": {"type": "string", "maxLength": 100},
        "maxItems": 50,
        "description": "Claims that test tokens may carry besides roles.",
    },
}
READ_ONLY: dict[str, Schema] = {
    "id": {"type": "string", "description": "Never changes."},
    "suspended": {"type": "boolean", "description": "Whether its people, clients and tokens are stopped."},
    "created_at": {"type": "string", "format": "date-time"},
}
CONSUMER: dict[str, Any] = {
    "title": "Consumer",
    "type": "object",
    "required": ["name", "slug"],
    "properties": READ_ONLY | WRITABLE,
    "additionalProperties": False,
}
EXAMPLE = {"name": "Acme Logistics", "slug": "acme", "external_id": "CRM-4711"}
ONE = {200: CONSUMER}
DEFAULTS: dict[str, Any] = {
    "external_id": None,
    "metadata": {},
    "claims": {},
    "access_token_lifetime": None,
    "refresh_token_lifetime": None,
    "test_token_lifetime": Consumer._meta.get_field("test_token_lifetime").default,
    "test_token_claims": [],
}


def _document(consumer: Consumer, call: Call) -> dict[str, Any]:
    shown = {
        "id": str(consumer.pk),
        **{name: getattr(consumer, name) for name in WRITABLE if name != "metadata"},
        "suspended": consumer.is_suspended,
        "created_at": consumer.created_at,
    }
    return shown | {"metadata": consumer.metadata} if call.is_operator else shown


@operation(
    id="listConsumers",
    summary="List consumers",
    scope="consumers:read",
    query=PAGING
    | {
        "q": {"type": "string", "description": "A part of the name, short name or external ID."},
        "external_id": {"type": "string", "description": "Exactly this external ID."},
        "suspended": {"type": "boolean"},
    },
    answers={200: {"type": "array", "items": CONSUMER}},
    **ABOUT,
)
def list_consumers(call: Call) -> HttpResponse:
    """Those that the token reaches."""
    found = call.readable()
    if text := call.query.get("q"):
        found = found.filter(Q(name__icontains=text) | Q(slug__icontains=text) | Q(external_id__icontains=text))
    if "external_id" in call.query:
        found = found.filter(external_id=call.query["external_id"])
    if "suspended" in call.query:
        found = found.filter(suspended_at__isnull=not call.query["suspended"])
    rows, headers = page(call.request, found, call.query, whose=call.token_key)
    return answer([_document(consumer, call) for consumer in rows], headers=headers)


@operation(
    id="createConsumer",
    summary="Open a consumer's workspace",
    scope="consumers:write",
    action="add",
    body=CONSUMER,
    answers={201: CONSUMER},
    example=EXAMPLE,
    refusals=(409,),
    **ABOUT,
)
def create_consumer(call: Call) -> HttpResponse:
    """Operators do this. Then invite its first manager, and give it access to scopes."""
    call.require_operator()
    fields = DEFAULTS | {name: value for name, value in call.body.items() if name in WRITABLE}
    consumer = consumer_actions.create_consumer(actor=call.caller.actor, **fields)
    return answer(_document(consumer, call), 201, {"Location": f"/admin/consumers/{consumer.slug}"})


@operation(id="getConsumer", summary="Read a consumer", scope="consumers:read", answers=ONE, refusals=(404,), **ABOUT)
def get_consumer(call: Call, consumer: str) -> HttpResponse:
    return answer(_document(consumer_at(call, consumer), call))


@operation(
    id="setConsumer",
    summary="Replace a consumer",
    body=CONSUMER,
    answers=ONE,
    example=EXAMPLE,
    refusals=(404, 409),
    **CHANGE,
)
def set_consumer(call: Call, consumer: str) -> HttpResponse:
    """Operators do this. Members that are left out get their defaults."""
    call.require_operator()
    return _save(call, consumer_at(call, consumer), DEFAULTS | call.body)


@operation(
    id="patchConsumer",
    summary="Patch a consumer",
    body=patch.PATCH,
    media_types=patch.MEDIA_TYPES,
    answers=ONE,
    example=[{"op": "add", "path": "/metadata/plan", "value": "gold"}],
    refusals=(404, 409),
    **CHANGE,
)
def patch_consumer(call: Call, consumer: str) -> HttpResponse:
    """Operators do this, by JSON Patch (RFC 6902) with add, remove and replace."""
    call.require_operator()
    found = consumer_at(call, consumer)
    before = {name: getattr(found, name) for name in WRITABLE}
    after = DEFAULTS | patch.apply(before, call.body, fixed=tuple(READ_ONLY))
    check(after, CONSUMER)
    return _save(call, found, after)


def _save(call: Call, consumer: Consumer, wanted: dict[str, Any]) -> HttpResponse:
    changed = [name for name in WRITABLE if getattr(consumer, name) != wanted[name]]
    for name in changed:
        setattr(consumer, name, wanted[name])
    return answer(
        _document(consumer_actions.update_consumer(consumer=consumer, actor=call.caller.actor, changed=changed), call)
    )


@operation(
    id="deleteConsumer",
    summary="Delete a consumer",
    scope="consumers:write",
    action="delete",
    answers={204: "It is gone, with its members and invitations."},
    refusals=(404, 409),
    **ABOUT,
)
def delete_consumer(call: Call, consumer: str) -> HttpResponse:
    """Operators do this, when it has no clients any more. People and activity stay."""
    call.require_operator()
    consumer_actions.delete_consumer(consumer=consumer_at(call, consumer), actor=call.caller.actor)
    return nothing()


@operation(
    id="revokeConsumerTokens",
    summary="End all tokens of a consumer's clients",
    answers={204: "Every token that they got until now has ended."},
    refusals=(404,),
    **CHANGE,
)
def revoke_tokens(call: Call, consumer: str) -> HttpResponse:
    """Operators do this. The clients can get new ones at once."""
    call.require_operator()
    consumer_actions.revoke_tokens(consumer=consumer_at(call, consumer), actor=call.caller.actor)
    return nothing()


@operation(id="suspendConsumer", summary="Suspend a consumer", answers=ONE, refusals=(404,), **CHANGE)
def suspend_consumer(call: Call, consumer: str) -> HttpResponse:
    """Operators do this. Its people, its clients and their tokens stop at once."""
    call.require_operator()
    found = consumer_at(call, consumer)
    consumer_actions.suspend_consumer(consumer=found, actor=call.caller.actor)
    return answer(_document(found, call))


@operation(id="resumeConsumer", summary="Resume a consumer", answers=ONE, refusals=(404,), **CHANGE)
def resume_consumer(call: Call, consumer: str) -> HttpResponse:
    """Operators do this. Undoes suspending."""
    call.require_operator()
    found = consumer_at(call, consumer)
    consumer_actions.resume_consumer(consumer=found, actor=call.caller.actor)
    return answer(_document(found, call))
