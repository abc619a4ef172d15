"""What is decided about a client besides its metadata: claims, who may be it without a secret, rules for secrets."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse

from clients.actions import clients as client_actions
from clients.actions import trust as trust_actions
from clients.actions.secret_policy import set_secret_rules
from clients.api.clients import find_locked, shown
from clients.api.lookups import find
from clients.models import TrustedIssuer, TrustRule
from clients.schemas import CLIENT
from consumers.rest.lookups import by_id, consumer_at
from consumers.rest.operations import Call, answer, nothing, operation
from core.rest.errors import InvalidRequest

OF_CLIENT: dict[str, Any] = {"model": "clients.client", "refusals": (404, 409)}
CHANGE = OF_CLIENT | {"scope": "clients:write", "action": "change"}
TEXT = {"type": "string"}
CLAIMS: dict[str, Any] = {"title": "Claims", "type": "object", "description": "By name; {} for none."}
RULE: dict[str, Any] = {
    "title": "TrustRule",
    "type": "object",
    "required": ["issuer", "audience", "claims"],
    "properties": {
        "id": TEXT,
        "issuer": TEXT
        | {"maxLength": 300, "description": "As its tokens carry it (iss), of those that operators allow."},
        "audience": TEXT | {"maxLength": 200, "description": "What its tokens must be for (aud)."},
        "claims": {
            "type": "object",
            "additionalProperties": TEXT | {"maxLength": 500},
            "description": "What they must say, letter by letter.",
        },
        "created_at": TEXT | {"format": "date-time"},
        "created_by": TEXT,
        "last_used_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "additionalProperties": False,
}
SECRET_RULES: dict[str, Any] = {
    "title": "SecretRules",
    "type": "object",
    "required": ["allowed", "days"],
    "properties": {
        "allowed": {"type": "boolean", "description": "Whether its clients may hold secrets at all."},
        "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 10_000, "description": "How long one may work."},
    },
    "additionalProperties": False,
}


@operation(
    id="setClientClaims",
    summary="Set the claims of a client's tokens",
    tag="Clients",
    body=CLAIMS,
    answers={200: CLIENT},
    example={"tier": "gold"},
    **CHANGE,
)
def set_claims(call: Call, client_id: str) -> HttpResponse:
    """Operators do this. Its next access tokens carry exactly these, besides its consumer's."""
    call.require_operator()
    with transaction.atomic():
        client_actions.set_claims(client=find_locked(call, client_id), claims=call.body, actor=call.caller.actor)
    return shown(find(call, client_id))


# -- Without a secret -------------------------------------------------------------------------------------------------


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
    summary="List who may be a client without a secret",
    tag="Secrets",
    scope="clients:read",
    answers={200: {"type": "array", "items": RULE}},
    **OF_CLIENT,
)
def list_rules(call: Call, client_id: str) -> HttpResponse:
    """Each rule says which token of which platform authenticates as the client."""
    return answer([_rule_document(rule) for rule in find(call, client_id).trust_rules.select_related("issuer")])


@operation(
    id="addTrustRule",
    summary="Let a platform's token be a client",
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
def add_rule(call: Call, client_id: str) -> HttpResponse:
    """For issuers that operators allow. A rule that a stranger could meet is refused."""
    sent = call.body
    with transaction.atomic():
        client = find_locked(call, client_id)
        issuer = TrustedIssuer.objects.offered_to(client.consumer).filter(issuer=sent["issuer"]).first()
        if issuer is None:
            raise InvalidRequest("Operators have not allowed this issuer.", field="issuer")
        made = trust_actions.add_rule(
            client=client, issuer=issuer, audience=sent["audience"], claims=sent["claims"], actor=call.caller.actor
        )
    return answer(_rule_document(made), 201)


@operation(
    id="removeTrustRule",
    summary="Remove such a rule",
    tag="Secrets",
    answers={204: "Such tokens are refused from now on."},
    **CHANGE,
)
def remove_rule(call: Call, client_id: str, rule_id: str) -> HttpResponse:
    client = find(call, client_id)
    call.require_writable(client.consumer)
    trust_actions.remove_rule(rule=by_id(client.trust_rules.all(), rule_id), actor=call.caller.actor)
    return nothing()


@operation(
    id="setSecretRules",
    summary="Set the rules for a consumer's secrets",
    tag="Consumers",
    scope="consumers:write",
    model="consumers.consumer",
    action="change",
    body=SECRET_RULES,
    answers={200: SECRET_RULES},
    example={"allowed": True, "days": 90},
    refusals=(404,),
)
def set_rules(call: Call, consumer: str) -> HttpResponse:
    """Operators do this. Secrets that would no longer be allowed get an end, and the managers are told by mail."""
    call.require_operator()
    found = consumer_at(call, consumer)
    set_secret_rules(consumer=found, allowed=call.body["allowed"], days=call.body["days"], actor=call.caller.actor)
    return answer({"allowed": found.secrets_allowed, "days": found.secret_days})
