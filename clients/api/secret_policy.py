"""The secret policy of a consumer (/admin/consumers/{consumer}/secret-policy)."""

from typing import Any

from django.http import HttpResponse

from clients.actions import secret_policy
from consumers.models import Consumer
from consumers.rest.lookups import consumer_in_path
from consumers.rest.operations import ApiRequest, json_response, operation
from core.limits import number_schema

OF_CONSUMER: dict[str, Any] = {"tag": "Consumers", "model": "consumers.consumer"}
SECRET_POLICY: dict[str, Any] = {
    "title": "SecretPolicy",
    "type": "object",
    "required": ["allowed", "days"],
    "properties": {
        "allowed": {"type": "boolean", "description": "Whether its clients may have secrets at all."},
        "days": number_schema(Consumer, "secret_days")
        | {"type": ["integer", "null"], "description": "Maximum lifetime of a secret."},
    },
    "additionalProperties": False,
}


def _policy_document(consumer: Consumer) -> dict[str, Any]:
    return {"allowed": consumer.secrets_allowed, "days": consumer.secret_days}


@operation(
    id="getSecretPolicy",
    summary="Read the secret policy of a consumer",
    scope="consumers:read",
    answers={200: SECRET_POLICY},
    refusals=(404,),
    **OF_CONSUMER,
)
def get_secret_policy(call: ApiRequest, consumer: str) -> HttpResponse:
    return json_response(_policy_document(consumer_in_path(call, consumer, itself=True)))


@operation(
    id="setSecretPolicy",
    summary="Set the secret policy of a consumer",
    scope="consumers:write",
    action="change",
    body=SECRET_POLICY,
    answers={200: SECRET_POLICY},
    example={"allowed": True, "days": 90},
    refusals=(404, 412),
    **OF_CONSUMER,
)
def set_secret_policy(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. Secrets that would no longer be allowed get an expiry, and the managers are told by mail."""
    call.require_operator()
    found = consumer_in_path(call, consumer, itself=True)
    secret_policy.set_secret_policy(
        consumer=found, allowed=call.body["allowed"], days=call.body["days"], actor=call.caller.actor
    )
    return json_response(_policy_document(found))
