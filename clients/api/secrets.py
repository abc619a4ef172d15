"""Client secrets (/admin/clients/{client_id}/secrets): list, add, rotate, expire, revoke."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from clients.actions import secrets as secret_actions
from clients.actions.secrets import End
from clients.api.clients import client_for_change
from clients.api.lookups import client_at
from clients.models import ClientSecret
from clients.vocabulary import SecretState
from consumers.rest.lookups import find_by_uuid
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema
from core.timefmt import parse_moment

ABOUT: dict[str, Any] = {"tag": "Secrets", "model": "clients.client"}
CHANGE = ABOUT | {"scope": "secrets:rotate", "action": "change", "refusals": (404, 409, 412)}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
NAME = length_schema(ClientSecret, "name") | {"type": ["string", "null"], "description": "Where it is used."}
EXPIRES_AT = MOMENT | {"description": "When it expires; null for never."}
SECRET: dict[str, Any] = {
    "title": "Secret",
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": NAME,
        "hint": {"type": "string", "description": "Its last four characters."},
        "state": {"type": "string", "enum": SecretState.values},
        "created_at": MOMENT,
        "created_by": {"type": "string"},
        "expires_at": EXPIRES_AT,
        "expires_after_use_of": {
            "type": ["string", "null"],
            "description": "It expires a day after this one is first used.",
        },
        "rotated_at": MOMENT,
        "revoked_at": MOMENT,
        "last_used_at": MOMENT,
        "last_used_ip": {"type": ["string", "null"]},
        "client_secret": {"type": "string", "description": "Only in the response that created it."},
    },
}
NEW: dict[str, Any] = {
    "title": "NewSecret",
    "type": "object",
    "properties": {"name": NAME, "expires_at": EXPIRES_AT},
    "additionalProperties": False,
}
ROTATION: dict[str, Any] = {
    "title": "Rotation",
    "type": "object",
    "properties": {
        "previous_expires_at": MOMENT
        | {"description": "When the old one expires; a time in the past means immediately."},
        "previous_expires_after_first_use": {
            "type": ["boolean", "null"],
            "description": "Let the old one expire a day after the new one is first used.",
        },
        "expires_at": EXPIRES_AT,
    },
    "additionalProperties": False,
}
EXPIRY: dict[str, Any] = {
    "title": "Expiry",
    "type": "object",
    "required": ["expires_at"],
    "properties": {"expires_at": MOMENT},
    "additionalProperties": False,
}


def _secret_document(secret: ClientSecret) -> dict[str, Any]:
    return {
        "id": str(secret.pk),
        "name": secret.name,
        "hint": secret.hint,
        "state": secret.state,
        "created_at": secret.created_at,
        "created_by": secret.created_by_label,
        "expires_at": secret.expires_at,
        "expires_after_use_of": str(secret.expires_after_use_of_id) if secret.expires_after_use_of_id else None,
        "rotated_at": secret.rotated_at,
        "revoked_at": secret.revoked_at,
        "last_used_at": secret.last_used_at,
        "last_used_ip": secret.last_used_ip,
    }


@operation(
    id="listSecrets",
    summary="List a client's secrets",
    scope="clients:read",
    answers={200: {"type": "array", "items": SECRET}},
    refusals=(404,),
    **ABOUT,
)
def list_secrets(call: ApiRequest, client_id: str) -> HttpResponse:
    """Without their texts, which nobody keeps. Expired and revoked ones stay listed for 30 days."""
    return json_response([_secret_document(secret) for secret in client_at(call, client_id).secrets.listed()])


@operation(
    id="getSecret", summary="Read a secret", scope="clients:read", answers={200: SECRET}, refusals=(404,), **ABOUT
)
def get_secret(call: ApiRequest, client_id: str, secret_id: str) -> HttpResponse:
    """Without its value, which is not stored."""
    return json_response(_secret_document(_find_secret(call, client_id, secret_id)))


@operation(
    id="createSecret",
    summary="Create a secret",
    body=NEW,
    answers={201: SECRET},
    example={"name": "Staging", "expires_at": "2027-06-30T00:00:00Z"},
    **CHANGE,
)
@sensitive_variables("text")
def create_secret(call: ApiRequest, client_id: str) -> HttpResponse:
    """The others stay valid. A client has up to five."""
    sent = call.body
    with transaction.atomic():
        client = client_for_change(call, client_id)
        secret, text = secret_actions.create_secret(
            client=client, name=sent.get("name") or "", expires_at=_time(sent, "expires_at"), actor=call.caller.actor
        )
    return _created(client_id, secret, text)


@operation(
    id="rotateSecret",
    summary="Rotate one secret",
    body=ROTATION,
    answers={201: SECRET},
    example={"previous_expires_after_first_use": True},
    **CHANGE,
)
@sensitive_variables("text")
def rotate_secret(call: ApiRequest, client_id: str, secret_id: str) -> HttpResponse:
    """Makes its successor. Without an end, the old one stays valid until it is revoked."""
    sent = call.body
    end = End(at=_time(sent, "previous_expires_at"), after_first_use=bool(sent.get("previous_expires_after_first_use")))
    with transaction.atomic():
        old = find_by_uuid(ClientSecret.objects.filter(client=client_for_change(call, client_id)), secret_id)
        secret, text = secret_actions.rotate_secret(
            secret=old, end=end, expires_at=_time(sent, "expires_at"), actor=call.caller.actor
        )
    return _created(client_id, secret, text)


@operation(
    id="updateSecret",
    summary="Set when a secret expires",
    body=EXPIRY,
    answers={200: SECRET},
    example={"expires_at": "2027-06-30T00:00:00Z"},
    **CHANGE,
)
def expire_secret(call: ApiRequest, client_id: str, secret_id: str) -> HttpResponse:
    """With null it never expires."""
    secret = secret_actions.expire_secret(
        secret=_find_secret(call, client_id, secret_id),
        expires_at=_time(call.body, "expires_at"),
        actor=call.caller.actor,
    )
    return json_response(_secret_document(secret))


@operation(id="revokeSecret", summary="Revoke a secret", answers={204: "Revoked."}, **CHANGE)
def revoke_secret(call: ApiRequest, client_id: str, secret_id: str) -> HttpResponse:
    """Whatever still uses it is refused from now on."""
    secret_actions.revoke_secret(secret=_find_secret(call, client_id, secret_id), actor=call.caller.actor)
    return no_content()


@sensitive_variables("text")
def _created(client_id: str, secret: ClientSecret, text: str) -> HttpResponse:
    """Return the new secret, whose text nobody can read again."""
    location = f"/admin/clients/{client_id}/secrets/{secret.pk}"
    return json_response(_secret_document(secret), 201, {"Location": location}, once={"client_secret": text})


def _find_secret(call: ApiRequest, client_id: str, secret_id: str) -> ClientSecret:
    """Return the secret; the actions lock its client, so a change of it does."""
    return find_by_uuid(ClientSecret.objects.filter(client=client_at(call, client_id, itself=True)), secret_id)


def _time(sent: dict[str, Any], name: str) -> datetime | None:
    return parse_moment(sent[name]) if sent.get(name) else None
