"""Trust rules of a client (/admin/clients/{client_id}/trust-rules)."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse

from clients.actions import trust as trust_actions
from clients.api.clients import client_for_change
from clients.api.lookups import client_at
from clients.models import TrustedIssuer, TrustRule
from clients.policy.federation import MAX_CLAIM_VALUE, MAX_CLAIMS
from consumers.rest.lookups import find_by_uuid
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema
from core.rest.errors import InvalidRequest

OF_CLIENT: dict[str, Any] = {"model": "clients.client", "refusals": (404, 409)}
CHANGE = OF_CLIENT | {"scope": "secrets:rotate", "action": "change"}
TEXT = {"type": "string"}
RULE: dict[str, Any] = {
    "title": "TrustRule",
    "type": "object",
    "required": ["issuer", "audience", "claims"],
    "properties": {
        "id": TEXT,
        "issuer": TEXT
        | length_schema(TrustedIssuer, "issuer")
        | {"description": "The issuer (iss) of its tokens, one that operators allow."},
        "audience": TEXT
        | length_schema(TrustRule, "audience")
        | {"description": "The audience (aud) that its tokens must have."},
        "claims": {
            "type": "object",
            "additionalProperties": TEXT | {"maxLength": MAX_CLAIM_VALUE},
            "maxProperties": MAX_CLAIMS,
            "description": "Claims that must match exactly.",
        },
        "created_at": TEXT | {"format": "date-time"},
        "created_by": TEXT,
        "last_used_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "additionalProperties": False,
}


def _rule_document(rule: TrustRule) -> dict[str, Any]:
    return {
        "id": str(rule.pk),
        "issuer": rule.issuer.issuer,
        "audience": rule.audience,
        "claims": rule.claims,
        "created_at": rule.created_at,
        "created_by": rule.created_by_label,
        "last_used_at": rule.last_used_at,
    }


@operation(
    id="listTrustRules",
    summary="List the federation rules of a client",
    tag="Secrets",
    scope="clients:read",
    answers={200: {"type": "array", "items": RULE}},
    **OF_CLIENT,
)
def list_rules(call: ApiRequest, client_id: str) -> HttpResponse:
    """Each rule says which token of which platform authenticates as the client."""
    return json_response(
        [_rule_document(rule) for rule in client_at(call, client_id).trust_rules.select_related("issuer")]
    )


@operation(
    id="createTrustRule",
    summary="Create a federation rule",
    tag="Secrets",
    body=RULE,
    answers={201: RULE},
    example={
        "issuer": "https://token.actions.githubusercontent.com",
        "audience": "https://portal.example.com",
        "claims": {"repository_id": "123456", "ref": "refs/heads/main"},
    },
    **CHANGE,
)
def create_rule(call: ApiRequest, client_id: str) -> HttpResponse:
    """For issuers that operators allow. A rule that a stranger could meet is refused."""
    sent = call.body
    with transaction.atomic():
        client = client_for_change(call, client_id)
        issuer = TrustedIssuer.objects.offered_to(client.consumer).filter(issuer=sent["issuer"]).first()
        if issuer is None:
            raise InvalidRequest("Operators have not allowed this issuer.", field="issuer")
        rule = trust_actions.create_rule(
            client=client, issuer=issuer, audience=sent["audience"], claims=sent["claims"], actor=call.caller.actor
        )
    location = f"/admin/clients/{client_id}/trust-rules/{rule.pk}"
    return json_response(_rule_document(rule), 201, {"Location": location})


@operation(
    id="getTrustRule",
    summary="Read a federation rule",
    tag="Secrets",
    scope="clients:read",
    answers={200: RULE},
    **OF_CLIENT,
)
def get_rule(call: ApiRequest, client_id: str, rule_id: str) -> HttpResponse:
    return json_response(_rule_document(_find_rule(call, client_id, rule_id)))


@operation(
    id="deleteTrustRule",
    summary="Delete a federation rule",
    tag="Secrets",
    answers={204: "Deleted. Tokens that match it are refused from now on."},
    **CHANGE | {"refusals": (404, 409, 412)},
)
def delete_rule(call: ApiRequest, client_id: str, rule_id: str) -> HttpResponse:
    trust_actions.delete_rule(rule=_find_rule(call, client_id, rule_id), actor=call.caller.actor)
    return no_content()


def _find_rule(call: ApiRequest, client_id: str, rule_id: str) -> TrustRule:
    client = client_at(call, client_id, itself=True)
    return find_by_uuid(TrustRule.objects.select_related("issuer").filter(client=client), rule_id)
