"""The rules for a consumer's secrets (/admin/consumers/{consumer}/secret-rules)."""

from typing import Any

from django.http import HttpResponse

from clients.actions import secret_policy
from consumers.models import Consumer
from consumers.rest.lookups import consumer_in_path
from consumers.rest.operations import ApiRequest, json_response, operation
from core.limits import number_schema

OF_CONSUMER: dict[str, Any] = {"tag": "Consumers", "model": "consumers.consumer"}
SECRET_RULES: dict[str, Any] = {
    "title": "SecretRules",
    "type": "object",
    "required": ["allowed", "days"],
    "properties": {
        "allowed": {"type": "boolean", "description": "Whether its clients may have secrets at all."},
        "days": number_schema(Consumer, "secret_days")
        | {"type": ["integer", "null"], "description": "Maximum lifetime of a secret."},
    },
    "additionalProperties": False,
}


def _rules_document(consumer: Consumer) -> dict[str, Any]:
    return {"allowed": consumer.secrets_allowed, "days": consumer.secret_days}


@operation(
    id="getSecretRules",
    summary="Read the rules for a consumer's secrets",
    scope="consumers:read",
    answers={200: SECRET_RULES},
    refusals=(404,),
    **OF_CONSUMER,
)
def get_secret_rules(call: ApiRequest, consumer: str) -> HttpResponse:
    return json_response(_rules_document(consumer_in_path(call, consumer, itself=True)))


@operation(
    id="setSecretRules",
    summary="Set the secret policy of a consumer",
    scope="consumers:write",
    action="change",
    body=SECRET_RULES,
    answers={200: SECRET_RULES},
    example={"allowed": True, "days": 90},
    refusals=(404, 412),
    **OF_CONSUMER,
)
def set_secret_rules(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. Secrets that would no longer be allowed get an end, and the managers are told by mail."""
    call.require_operator()
    found = consumer_in_path(call, consumer, itself=True)
    secret_policy.set_secret_rules(
        consumer=found, allowed=call.body["allowed"], days=call.body["days"], actor=call.caller.actor
    )
    return json_response(_rules_document(found))
