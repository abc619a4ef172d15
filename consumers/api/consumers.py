"""Consumers in the management API (/admin/consumers)."""

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.http import HttpResponse

from consumers.actions import consumers as consumer_actions
from consumers.models import Consumer
from consumers.policy import MAX_TEST_CLAIMS
from consumers.rest.lookups import consumer_in_path
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema, number_schema
from core.rest import patch
from core.rest.paging import PAGING, paginate
from core.rest.schemas import Schema, validate

ABOUT: dict[str, Any] = {"tag": "Consumers", "model": "consumers.consumer"}
CHANGE = ABOUT | {"scope": "consumers:write", "action": "change"}
WRITABLE: dict[str, Schema] = {
    "name": {"type": "string", "minLength": 1, "description": "As people read it."} | length_schema(Consumer, "name"),
    "slug": length_schema(Consumer, "slug")
    | {"type": "string", "description": "Short name in URLs: a-z, 0-9, “-” and “_”."},
    "external_id": length_schema(Consumer, "external_id")
    | {"type": ["string", "null"], "description": "Its number in your own systems."},
    "metadata": {"type": "object", "description": "Anything that you keep with it. Operators alone see it."},
    "claims": {"type": "object", "description": "Claims that every access token of its clients carries."},
    "access_token_lifetime": number_schema(Consumer, "access_token_lifetime")
    | {"type": ["integer", "null"], "description": "Of every access token, at most; null: as the APIs allow."},
    "refresh_token_lifetime": number_schema(Consumer, "refresh_token_lifetime")
    | {"type": ["integer", "null"], "description": "Of every sign-in, at most; null: as the APIs allow."},
    "max_clients": number_schema(Consumer, "max_clients")
    | {"type": "integer", "description": "How many clients it may have; existing ones stay when there are more."},
    "test_token_lifetime": number_schema(Consumer, "test_token_lifetime")
    | {"type": "integer", "description": "In seconds, at most; 0 if its people may make none."},
    "test_token_claims": {
        "type": "array",
        "items": {"type": "string"} | length_schema(Consumer, "test_token_claims"),
        "maxItems": MAX_TEST_CLAIMS,
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
    "max_clients": Consumer._meta.get_field("max_clients").default,
    "test_token_lifetime": Consumer._meta.get_field("test_token_lifetime").default,
    "test_token_claims": [],
}


def _document(consumer: Consumer, call: ApiRequest) -> dict[str, Any]:
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
def list_consumers(call: ApiRequest) -> HttpResponse:
    """Those that the token reaches."""
    found = call.readable()
    if text := call.query.get("q"):
        found = found.filter(Q(name__icontains=text) | Q(slug__icontains=text) | Q(external_id__icontains=text))
    if "external_id" in call.query:
        found = found.filter(external_id=call.query["external_id"])
    if "suspended" in call.query:
        found = found.filter(suspended_at__isnull=not call.query["suspended"])
    rows, headers = paginate(call.request, found, call.query, whose=call.token_key)
    return json_response([_document(consumer, call) for consumer in rows], headers=headers)


@operation(
    id="createConsumer",
    summary="Create a consumer",
    scope="consumers:write",
    action="add",
    body=CONSUMER,
    answers={201: CONSUMER},
    example=EXAMPLE,
    refusals=(409,),
    **ABOUT,
)
def create_consumer(call: ApiRequest) -> HttpResponse:
    """Operators do this. Then invite its first manager, and give it access to scopes."""
    call.require_operator()
    fields = DEFAULTS | {name: value for name, value in call.body.items() if name in WRITABLE}
    consumer = consumer_actions.create_consumer(actor=call.caller.actor, **fields)
    return json_response(_document(consumer, call), 201, {"Location": f"/admin/consumers/{consumer.slug}"})


@operation(id="getConsumer", summary="Read a consumer", scope="consumers:read", answers=ONE, refusals=(404,), **ABOUT)
def get_consumer(call: ApiRequest, consumer: str) -> HttpResponse:
    return json_response(_document(consumer_in_path(call, consumer, itself=True), call))


@operation(
    id="setConsumer",
    summary="Replace a consumer",
    body=CONSUMER,
    answers=ONE,
    example=EXAMPLE,
    refusals=(404, 409, 412),
    **CHANGE,
)
def set_consumer(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. Members that are left out get their defaults."""
    call.require_operator()
    wanted = {name: value for name, value in (DEFAULTS | call.body).items() if name in WRITABLE}
    return _update(call, consumer, lambda _: wanted)


@operation(
    id="patchConsumer",
    summary="Patch a consumer",
    body=patch.PATCH,
    media_types=patch.MEDIA_TYPES,
    answers=ONE,
    example=[{"op": "add", "path": "/metadata/plan", "value": "gold"}],
    refusals=(404, 409, 412),
    **CHANGE,
)
def patch_consumer(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this, by JSON Patch (RFC 6902) with add, remove and replace."""
    call.require_operator()

    def patched(now: Consumer) -> dict[str, Any]:
        before = {name: getattr(now, name) for name in WRITABLE}
        after = DEFAULTS | patch.apply_patch(before, call.body, fixed=tuple(READ_ONLY))
        validate(after, CONSUMER)
        return after

    return _update(call, consumer, patched)


def _update(call: ApiRequest, name: str, change: Callable[[Consumer], dict[str, Any]]) -> HttpResponse:
    updated = consumer_actions.update_consumer(
        consumer=consumer_in_path(call, name, itself=True), change=change, actor=call.caller.actor
    )
    return json_response(_document(updated, call))


@operation(
    id="deleteConsumer",
    summary="Delete a consumer",
    scope="consumers:write",
    action="delete",
    answers={204: "Deleted, with its members and invitations."},
    refusals=(404, 409, 412),
    **ABOUT,
)
def delete_consumer(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this, when it has no clients any more. People and activity stay."""
    call.require_operator()
    consumer_actions.delete_consumer(consumer=consumer_in_path(call, consumer, itself=True), actor=call.caller.actor)
    return no_content()


@operation(
    id="revokeConsumerTokens",
    summary="Revoke all tokens of a consumer's clients",
    answers={204: "All tokens issued so far are revoked."},
    refusals=(404,),
    **CHANGE,
)
def revoke_tokens(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. The clients can get new ones at once."""
    call.require_operator()
    consumer_actions.revoke_tokens(consumer=consumer_in_path(call, consumer), actor=call.caller.actor)
    return no_content()


@operation(id="suspendConsumer", summary="Suspend a consumer", answers=ONE, refusals=(404,), **CHANGE)
def suspend_consumer(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. Its people, its clients and their tokens stop at once."""
    call.require_operator()
    found = consumer_in_path(call, consumer)
    consumer_actions.suspend_consumer(consumer=found, actor=call.caller.actor)
    return json_response(_document(found, call))


@operation(id="resumeConsumer", summary="Resume a consumer", answers=ONE, refusals=(404,), **CHANGE)
def resume_consumer(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. Undoes suspending."""
    call.require_operator()
    found = consumer_in_path(call, consumer)
    consumer_actions.resume_consumer(consumer=found, actor=call.caller.actor)
    return json_response(_document(found, call))
