"""The groups of connections that give roles of an API (/admin/apis/{api_id}/group-roles)."""

from typing import Any

from django.http import HttpResponse

from clients.actions.group_roles import update_group_roles
from clients.api.apis import find_api
from clients.api.sign_in_rules import connections_named
from clients.models import Api, GroupRole
from consumers.rest.lookups import parse_id
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema
from core.rest.errors import InvalidRequest, NotFound
from core.rest.paging import PAGING, paginate

READ: dict[str, Any] = {"tag": "Roles", "model": "clients.api", "scope": "apis:read", "refusals": (403, 404)}
CHANGE: dict[str, Any] = READ | {"scope": "apis:write", "action": "change"}
TEXT: dict[str, Any] = {"type": "string"}
RULE: dict[str, Any] = {
    "title": "GroupRole",
    "type": "object",
    "required": ["connection", "group", "role"],
    "properties": {
        "id": {"type": "integer"},
        "connection": TEXT | {"description": "Short name of the connection, or its ID."},
        "group": length_schema(GroupRole, "group")
        | TEXT
        | {"description": "As the provider writes it in the claim of the groups."},
        "role": TEXT | {"description": "The role's value."},
    },
    "additionalProperties": False,
}


def _document(rule: GroupRole) -> dict[str, Any]:
    return {"id": rule.pk, "connection": rule.connection.slug, "group": rule.group, "role": rule.role.value}


def _rules_of(api: Api) -> Any:
    return GroupRole.objects.select_related("connection", "role").filter(role__api=api)


def _find(call: ApiRequest, api_id: str, rule_id: str) -> tuple[Api, GroupRole]:
    api = find_api(call, api_id)
    rule = _rules_of(api).filter(pk=parse_id(rule_id)).first()
    if rule is None:
        raise NotFound
    return api, rule


@operation(
    id="listGroupRoles",
    summary="List which groups give roles of an API",
    query=PAGING,
    answers={200: {"type": "array", "items": RULE}},
    **READ,
)
def list_rules(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this."""
    rows, headers = paginate(call.request, _rules_of(find_api(call, api_id)), call.query, whose=call.token_key)
    return json_response([_document(rule) for rule in rows], headers=headers)


@operation(
    id="createGroupRole",
    summary="Let a group give a role of an API",
    body=RULE,
    answers={201: RULE},
    example={"connection": "acme-okta", "group": "Drivers", "role": "driver"},
    **CHANGE | {"refusals": (403, 404, 409)},
)
def create_rule(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this. Who is in the group has the role from the next sign-in by the connection on."""
    api, sent = find_api(call, api_id), call.body
    role = api.roles.filter(value=sent["role"]).first()
    if role is None:
        raise InvalidRequest(f"There is no role {sent['role'][:100]!a} in {api.identifier}.", field="role")
    (connection,) = connections_named([sent["connection"]], "connection")
    rule = GroupRole(role=role, connection=connection, group=sent["group"].strip())
    update_group_roles(api=api, group_roles=[rule], actor=call.caller.actor)
    return json_response(_document(rule), 201, {"Location": f"/admin/apis/{api.pk}/group-roles/{rule.pk}"})


@operation(id="getGroupRole", summary="Read which group gives a role", answers={200: RULE}, **READ)
def get_rule(call: ApiRequest, api_id: str, rule_id: str) -> HttpResponse:
    """Operators do this."""
    return json_response(_document(_find(call, api_id, rule_id)[1]))


@operation(
    id="deleteGroupRole",
    summary="Let a group give a role no longer",
    answers={204: "Deleted. Whoever has the role by this group alone has lost it."},
    **CHANGE | {"refusals": (403, 404, 409, 412)},
)
def delete_rule(call: ApiRequest, api_id: str, rule_id: str) -> HttpResponse:
    """Operators do this."""
    api, rule = _find(call, api_id, rule_id)
    update_group_roles(api=api, group_roles=[], removed=[rule], actor=call.caller.actor)
    return no_content()
