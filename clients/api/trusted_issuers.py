"""Trusted issuers of platform tokens (/admin/trusted-issuers)."""

from typing import Any

from django.db.models import Q
from django.http import HttpResponse

from clients.actions import trust as trust_actions
from clients.api.lookups import consumer_in_body
from clients.federation.platforms import PlatformName
from clients.models import TrustedIssuer
from consumers.rest.lookups import parse_id
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema
from core.rest.errors import NotFound

TEXT = {"type": "string"}
KEYS: dict[str, Any] = {
    "jwks_uri": TEXT | length_schema(TrustedIssuer, "jwks_uri") | {"description": "URL of its public keys."},
    "jwks": {"type": ["object", "null"], "description": "The public keys themselves, instead of their URL."},
}
ISSUER: dict[str, Any] = {
    "title": "TrustedIssuer",
    "type": "object",
    "required": ["name", "platform", "issuer"],
    "properties": KEYS
    | {
        "id": {"type": "integer"},
        "name": TEXT | length_schema(TrustedIssuer, "name") | {"minLength": 1, "description": "As managers read it."},
        "platform": TEXT
        | {"enum": PlatformName.values, "description": "Which claims its tokens have. It cannot be changed."},
        "issuer": TEXT
        | length_schema(TrustedIssuer, "issuer")
        | {"description": "The exact iss of its tokens. It cannot be changed."},
        "consumer": {"type": ["string", "null"], "description": "The consumer it is for; null for every consumer."},
        "disabled": {"type": "boolean", "description": "POST to …/disable and …/enable change it."},
        "created_at": TEXT | {"format": "date-time"},
    },
    "additionalProperties": False,
}
GITHUB = {
    "name": "GitHub Actions",
    "platform": "github",
    "issuer": "https://token.actions.githubusercontent.com",
}


OF_ISSUER: dict[str, Any] = {"tag": "Secrets", "model": "clients.trustedissuer", "refusals": (403, 404, 409)}
CHANGE_ISSUER = OF_ISSUER | {"scope": "clients:write", "action": "change", "answers": {200: ISSUER}}
CHANGE_THIS = CHANGE_ISSUER | {"refusals": (403, 404, 409, 412)}


def _issuer_document(issuer: TrustedIssuer) -> dict[str, Any]:
    return {name: getattr(issuer, name) for name in ("id", "name", "platform", "issuer", "jwks_uri", "jwks")} | {
        "consumer": issuer.consumer.slug if issuer.consumer else None,
        "disabled": issuer.disabled_at is not None,
        "created_at": issuer.created_at,
    }


def _issuer_at(call: ApiRequest, issuer_id: str) -> TrustedIssuer:
    call.require_operator()
    issuer = call.locked(TrustedIssuer.objects.select_related("consumer").filter(pk=parse_id(issuer_id))).first()
    if issuer is None:
        raise NotFound
    return issuer


def _issuer_values(sent: dict[str, Any]) -> dict[str, Any]:
    values = {name: sent[name] for name in ("name", "platform", "issuer")}
    values |= {"jwks_uri": sent.get("jwks_uri", ""), "jwks": sent.get("jwks") or None}
    return values | {"consumer": consumer_in_body(sent["consumer"]) if sent.get("consumer") else None}


@operation(
    id="listTrustedIssuers",
    summary="List trusted issuers",
    tag="Secrets",
    model="clients.trustedissuer",
    scope="clients:read",
    answers={200: {"type": "array", "items": ISSUER}},
)
def list_issuers(call: ApiRequest) -> HttpResponse:
    """Operators see all; others those for which clients of their consumers may have rules."""
    found = TrustedIssuer.objects.select_related("consumer").order_by("pk")
    if not call.is_operator or call.caller.consumer_id is not None:
        found = found.filter(Q(consumer=None) | Q(consumer__in=call.readable()), disabled_at=None)
    return json_response([_issuer_document(issuer) for issuer in found])


@operation(
    id="createTrustedIssuer",
    summary="Add a trusted issuer",
    body=ISSUER,
    example=GITHUB,
    **CHANGE_ISSUER | {"action": "add", "answers": {201: ISSUER}},
)
def create_issuer(call: ApiRequest) -> HttpResponse:
    """Operators do this. From then on managers may let its tokens be their clients."""
    call.require_operator()
    issuer = trust_actions.create_issuer(issuer=TrustedIssuer(**_issuer_values(call.body)), actor=call.caller.actor)
    return json_response(_issuer_document(issuer), 201, {"Location": f"/admin/trusted-issuers/{issuer.pk}"})


@operation(
    id="getTrustedIssuer",
    summary="Read a trusted issuer",
    **OF_ISSUER | {"scope": "clients:read", "answers": {200: ISSUER}, "refusals": (403, 404)},
)
def get_issuer(call: ApiRequest, issuer_id: str) -> HttpResponse:
    """Operators do this."""
    return json_response(_issuer_document(_issuer_at(call, issuer_id)))


@operation(id="setTrustedIssuer", summary="Change a trusted issuer", body=ISSUER, example=GITHUB, **CHANGE_THIS)
def set_issuer(call: ApiRequest, issuer_id: str) -> HttpResponse:
    """Operators do this. Issuer and platform stay, because rules were made for them."""
    updated = trust_actions.update_issuer(
        issuer=_issuer_at(call, issuer_id), values=_issuer_values(call.body), actor=call.caller.actor
    )
    return json_response(_issuer_document(updated))


@operation(id="disableTrustedIssuer", summary="Disable a trusted issuer", **CHANGE_ISSUER)
def disable_issuer(call: ApiRequest, issuer_id: str) -> HttpResponse:
    """Operators do this. Every token of it is refused at once; rules stay, and work again when it is enabled."""
    trust_actions.disable_issuer(issuer=_issuer_at(call, issuer_id), actor=call.caller.actor)
    return json_response(_issuer_document(_issuer_at(call, issuer_id)))


@operation(id="enableTrustedIssuer", summary="Enable a trusted issuer", **CHANGE_ISSUER)
def enable_issuer(call: ApiRequest, issuer_id: str) -> HttpResponse:
    """Operators do this. Undoes disabling."""
    trust_actions.enable_issuer(issuer=_issuer_at(call, issuer_id), actor=call.caller.actor)
    return json_response(_issuer_document(_issuer_at(call, issuer_id)))


@operation(
    id="deleteTrustedIssuer",
    summary="Delete a trusted issuer without rules",
    **CHANGE_THIS | {"action": "delete", "answers": {204: "Deleted."}},
)
def delete_issuer(call: ApiRequest, issuer_id: str) -> HttpResponse:
    """Operators do this."""
    trust_actions.delete_issuer(issuer=_issuer_at(call, issuer_id), actor=call.caller.actor)
    return no_content()
