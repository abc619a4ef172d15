"""Secrets as things of their own (/admin/clients/{client_id}/secrets): list, add, rotate, expire and revoke."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from clients.actions import secrets as secret_actions
from clients.actions.secrets import End
from clients.api.clients import find_locked
from clients.api.lookups import find
from clients.models import Client, ClientSecret
from consumers.rest.lookups import by_id
from consumers.rest.operations import Call, answer, nothing, operation
from core.rest.schemas import moment

ABOUT: dict[str, Any] = {"tag": "Secrets", "model": "clients.client"}
CHANGE = ABOUT | {"scope": "secrets:rotate", "action": "change", "refusals": (404, 409, 412)}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
NAME = {"type": ["string", "null"], "maxLength": 60, "description": "Where it is used."}
EXPIRES_AT = MOMENT | {"description": "When it stops working; null for when somebody ends it."}
SECRET: dict[str, Any] = {
    "title": "Secret",
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": NAME,
        "hint": {"type": "string", "description": "Its last four characters."},
        "state": {"type": "string", "enum": ["active", "rotating", "ended"]},
        "created_at": MOMENT,
        "created_by": {"type": "string"},
        "expires_at": EXPIRES_AT,
        "ends_after_use_of": {"type": ["string", "null"], "description": "It ends a day after this one's first use."},
        "rotated_at": MOMENT,
        "revoked_at": MOMENT,
        "last_used_at": MOMENT,
        "last_used_ip": {"type": ["string", "null"]},
        "client_secret": {"type": "string", "description": "In the answer that made it alone."},
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
        "ends_at": MOMENT | {"description": "When the old one ends; a moment that has passed means at once."},
        "ends_after_first_use": {
            "type": ["boolean", "null"],
            "description": "Let the old one end a day after the new one is first used.",
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


def _document(secret: ClientSecret, text: str | None = None) -> dict[str, Any]:
    shown = {
        "id": str(secret.pk),
        "name": secret.name,
        "hint": secret.hint,
        "state": secret.state,
        "created_at": secret.created_at,
        "created_by": secret.created_by_label,
        "expires_at": secret.expires_at,
        "ends_after_use_of": str(secret.ends_after_use_of_id) if secret.ends_after_use_of_id else None,
        "rotated_at": secret.rotated_at,
        "revoked_at": secret.revoked_at,
        "last_used_at": secret.last_used_at,
        "last_used_ip": secret.last_used_ip,
    }
    return shown if text is None else shown | {"client_secret": text}


@operation(
    id="listSecrets",
    summary="List a client's secrets",
    scope="clients:read",
    answers={200: {"type": "array", "items": SECRET}},
    refusals=(404,),
    **ABOUT,
)
def list_secrets(call: Call, client_id: str) -> HttpResponse:
    """Without their texts, which nobody keeps. Ended ones stay listed for 30 days."""
    return answer([_document(secret) for secret in find(call, client_id).secrets.listed()])


@operation(
    id="addSecret",
    summary="Add a secret",
    body=NEW,
    answers={201: SECRET},
    example={"name": "Staging", "expires_at": "2027-06-30T00:00:00Z"},
    **CHANGE,
)
@sensitive_variables("text")
def add_secret(call: Call, client_id: str) -> HttpResponse:
    """The others go on working. A client holds up to five."""
    sent = call.body
    with transaction.atomic():
        client = find_locked(call, client_id)
        made, text = secret_actions.add_secret(
            client=client, name=sent.get("name") or "", expires_at=_at(sent, "expires_at"), actor=call.caller.actor
        )
    return answer(_document(made, text), 201)


@operation(
    id="rotateSecret",
    summary="Rotate one secret",
    body=ROTATION,
    answers={201: SECRET},
    example={"ends_after_first_use": True},
    **CHANGE,
)
@sensitive_variables("text")
def rotate_secret(call: Call, client_id: str, secret_id: str) -> HttpResponse:
    """Makes its successor. Without an end, the old one works until somebody revokes it."""
    sent = call.body
    end = End(at=_at(sent, "ends_at"), after_first_use=bool(sent.get("ends_after_first_use")))
    with transaction.atomic():
        old = _find_secret(find_locked(call, client_id), secret_id)
        made, text = secret_actions.rotate_secret(
            secret=old, end=end, expires_at=_at(sent, "expires_at"), actor=call.caller.actor
        )
    return answer(_document(made, text), 201)


@operation(
    id="expireSecret",
    summary="Give a secret an end",
    body=EXPIRY,
    answers={200: SECRET},
    example={"expires_at": "2027-06-30T00:00:00Z"},
    **CHANGE,
)
def expire_secret(call: Call, client_id: str, secret_id: str) -> HttpResponse:
    """Or, with null, take its end away."""
    with transaction.atomic():
        secret = _find_secret(find_locked(call, client_id), secret_id)
        secret = secret_actions.expire_secret(
            secret=secret, expires_at=_at(call.body, "expires_at"), actor=call.caller.actor
        )
    return answer(_document(secret))


@operation(id="revokeSecret", summary="Revoke a secret", answers={204: "It has ended."}, **CHANGE)
def revoke_secret(call: Call, client_id: str, secret_id: str) -> HttpResponse:
    """Whatever still uses it is refused from now on."""
    with transaction.atomic():
        secret = _find_secret(find_locked(call, client_id), secret_id)
        secret_actions.revoke_secret(secret=secret, actor=call.caller.actor)
    return nothing()


def _find_secret(client: Client, secret_id: str) -> ClientSecret:
    return by_id(ClientSecret.objects.filter(client=client), secret_id)


def _at(sent: dict[str, Any], name: str) -> datetime | None:
    return moment(sent[name]) if sent.get(name) else None
