"""Who joins a consumer by a connection (/admin/consumers/{consumer}/joining-rules)."""

from typing import Any

from django.http import HttpResponse

from connections.actions import domains as rule_actions
from connections.api.connections import CHANGE, READ
from connections.api.lookups import connection_in_body
from connections.documents import RULE as MEMBERS
from connections.models import JoiningRule
from consumers.models import Role
from consumers.rest.lookups import consumer_in_path, find_by_uuid
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.rest.paging import PAGING, paginate

TEXT: dict[str, Any] = {"type": "string"}
RULE: dict[str, Any] = {
    "title": "JoiningRule",
    "type": "object",
    "required": ["connection", "kind", "value"],
    "properties": {
        "id": TEXT,
        "connection": TEXT | {"description": "Short name of the connection."},
        **MEMBERS,
        "created_at": TEXT | {"format": "date-time"},
    },
    "additionalProperties": False,
}


def _document(rule: JoiningRule) -> dict[str, Any]:
    shown = {name: getattr(rule, name) for name in ("kind", "value", "role", "created_at")}
    return {"id": str(rule.pk), "connection": rule.connection.slug} | shown


def _find(call: ApiRequest, consumer: str, rule_id: str) -> JoiningRule:
    call.require_operator()
    rules = JoiningRule.objects.select_related("connection").filter(consumer=consumer_in_path(call, consumer))
    return find_by_uuid(call.locked(rules), rule_id)


@operation(
    id="listJoiningRules",
    summary="List who joins a consumer by a connection",
    query=PAGING,
    answers={200: {"type": "array", "items": RULE}},
    refusals=(403, 404),
    **READ,
)
def list_rules(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this."""
    call.require_operator()
    rules = JoiningRule.objects.select_related("connection").filter(consumer=consumer_in_path(call, consumer))
    rows, headers = paginate(call.request, rules, call.query, whose=call.token_key)
    return json_response([_document(rule) for rule in rows], headers=headers)


@operation(
    id="createJoiningRule",
    summary="Let people join a consumer by a connection",
    body=RULE,
    answers={201: RULE},
    example={"connection": "acme-okta", "kind": "group", "value": "API team", "role": "manager"},
    **CHANGE | {"refusals": (403, 404, 409)},
)
def create_rule(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. Whoever signs in by the connection and matches becomes a member, and stays one as long."""
    call.require_operator()
    found, sent = consumer_in_path(call, consumer), call.body
    rule = rule_actions.create_rule(
        rule=JoiningRule(
            connection=connection_in_body(sent["connection"]),
            consumer=found,
            kind=sent["kind"],
            value=sent["value"].strip(),
            role=sent.get("role", Role.VIEWER),
        ),
        actor=call.caller.actor,
    )
    location = f"/admin/consumers/{found.slug}/joining-rules/{rule.pk}"
    return json_response(_document(rule), 201, {"Location": location})


@operation(
    id="getJoiningRule",
    summary="Read a joining rule",
    answers={200: RULE},
    refusals=(403, 404),
    **READ,
)
def get_rule(call: ApiRequest, consumer: str, rule_id: str) -> HttpResponse:
    """Operators do this."""
    return json_response(_document(_find(call, consumer, rule_id)))


@operation(
    id="deleteJoiningRule",
    summary="Delete a joining rule",
    answers={204: "Deleted. Who joined by it leaves at the next sign-in, unless another rule keeps them."},
    **CHANGE,
)
def delete_rule(call: ApiRequest, consumer: str, rule_id: str) -> HttpResponse:
    """Operators do this."""
    rule_actions.delete_rule(rule=_find(call, consumer, rule_id), actor=call.caller.actor)
    return no_content()
