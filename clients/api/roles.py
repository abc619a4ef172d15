"""Roles of APIs, claims of their tokens, and who has which role.

/admin/apis/{api_id}/roles and /claims, /admin/consumers/{consumer}/members/{member_id}/roles, /admin/role-grants
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from clients.actions import roles as role_actions
from clients.api.apis import find_api, find_readable_api
from clients.claim_sources import SOURCES
from clients.models import Api, ApiClaim, ApiRole, RoleGrant
from clients.policy import roles as rules
from clients.vocabulary import RoleSource
from consumers.models import Consumer, Membership, User
from consumers.rest.lookups import consumer_in_path, consumer_matches, parse_id
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema
from core.rest.errors import InvalidRequest, NotFound
from core.rest.paging import PAGING, paginate

ABOUT: dict[str, Any] = {"tag": "Roles", "model": "clients.api", "refusals": (404,)}
CHANGE = ABOUT | {"scope": "apis:write", "action": "change", "refusals": (404, 409, 412)}
TEXT: dict[str, Any] = {"type": "string"}
ROLE: dict[str, Any] = {
    "title": "Role",
    "type": "object",
    "required": ["value", "name"],
    "properties": {
        "value": length_schema(ApiRole, "value") | TEXT | {"description": "As tokens carry it. It never changes."},
        "name": length_schema(ApiRole, "name") | TEXT | {"description": "As people read it."},
        "description": length_schema(ApiRole, "description") | TEXT,
        "managers_may_give": {"type": "boolean", "description": "Whether managers may give it to their own people."},
    },
    "additionalProperties": False,
}
ROLES: dict[str, Any] = {
    "title": "Roles",
    "type": "object",
    "required": ["roles"],
    "properties": {"roles": {"type": "array", "items": ROLE, "maxItems": rules.MAX_API_ROLES}},
    "additionalProperties": False,
}
CLAIM: dict[str, Any] = {
    "title": "TokenClaim",
    "type": "object",
    "required": ["name", "source"],
    "properties": {
        "name": length_schema(ApiClaim, "name") | TEXT | {"description": "As tokens carry it; no registered name."},
        "source": TEXT
        | {
            "enum": list(SOURCES),
            "description": " ".join(f"`{each.value}`: {each.label}." for each in SOURCES.values()),
        },
        "path": length_schema(ApiClaim, "path") | TEXT | {"description": "Of `metadata`: names joined by dots."},
        "value": {"description": "Of `constant`: any JSON but null."},
        "consent": length_schema(ApiClaim, "consent")
        | TEXT
        | {"description": "What the consent page says that the API learns; empty shows nothing."},
    },
    "additionalProperties": False,
}
CLAIMS: dict[str, Any] = {
    "title": "TokenClaims",
    "type": "object",
    "required": ["claims"],
    "properties": {"claims": {"type": "array", "items": CLAIM, "maxItems": rules.MAX_API_CLAIMS}},
    "additionalProperties": False,
}
MOMENT = {"type": "string", "format": "date-time"}
SOURCE = TEXT | {"enum": list(RoleSource.values), "description": "Who gave it; another source does not take it."}
CONNECTION = {"type": ["string", "null"], "description": "Whose groups gave it, by short name; null for no groups."}
HELD: dict[str, Any] = {
    "title": "HeldRole",
    "type": "object",
    "required": ["api", "role"],
    "properties": {
        "api": TEXT | {"description": "The API's identifier."},
        "role": TEXT | {"description": "The role's value."},
        "name": TEXT,
        "source": SOURCE,
        "connection": CONNECTION,
        "given_by": TEXT,
        "given_at": MOMENT,
    },
    "additionalProperties": False,
}
MEMBER_ROLES: dict[str, Any] = {
    "title": "MemberRoles",
    "type": "object",
    "required": ["roles"],
    "properties": {"roles": {"type": "array", "items": HELD, "maxItems": 1000}},
    "additionalProperties": False,
}
GRANT: dict[str, Any] = {
    "title": "RoleGrant",
    "type": "object",
    "required": ["email", "api", "role"],
    "properties": {
        "id": {"type": "integer"},
        "email": length_schema(User, "email") | TEXT,
        "api": TEXT | {"description": "The API's identifier."},
        "role": TEXT | {"description": "The role's value."},
        "consumer": {
            "type": ["string", "null"],
            "description": "Whose clients it counts at, by short name or ID; null for every consumer's.",
        },
        "source": SOURCE,
        "connection": CONNECTION,
        "given_by": TEXT,
        "given_at": MOMENT,
    },
    "additionalProperties": False,
}


# -- What an API defines ----------------------------------------------------------------------------------------------


def _roles_document(api: Api) -> dict[str, Any]:
    names = ("value", "name", "description", "managers_may_give")
    return {"roles": [{name: getattr(role, name) for name in names} for role in api.roles.order_by("id")]}


@operation(id="getAPIRoles", summary="Read the roles of an API", scope="apis:read", answers={200: ROLES}, **ABOUT)
def get_roles(call: ApiRequest, api_id: str) -> HttpResponse:
    """Whoever may use the API may read them."""
    return json_response(_roles_document(find_readable_api(call, api_id)))


@operation(
    id="setAPIRoles",
    summary="Set the roles of an API",
    body=ROLES,
    answers={200: ROLES},
    example={"roles": [{"value": "dispatcher", "name": "Dispatcher", "managers_may_give": True}]},
    **CHANGE,
)
def set_roles(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this. It has exactly these roles; one that somebody has cannot be dropped."""
    api = find_api(call, api_id)
    sent = _unique(call.body["roles"], "value", "roles")
    present = {role.value: role for role in api.roles.all()}
    changed = []
    for value, each in sent.items():
        values = {"description": "", "managers_may_give": False} | each
        role = present.get(value, ApiRole(api=api))
        if _assign(role, values):
            changed.append(role)
    role_actions.update_api_roles(
        api=api,
        roles=changed,
        removed=[role for value, role in present.items() if value not in sent],
        actor=call.caller.actor,
    )
    return json_response(_roles_document(api))


def _claims_document(api: Api) -> dict[str, Any]:
    return {"claims": [_claim_document(claim) for claim in api.claims.order_by("id")]}


def _claim_document(claim: ApiClaim) -> dict[str, Any]:
    document: dict[str, Any] = {"name": claim.name, "source": claim.source, "consent": claim.consent}
    if claim.path:
        document["path"] = claim.path
    return document if claim.value is None else document | {"value": claim.value}


@operation(
    id="getAPIClaims",
    summary="Read the claims of an API's tokens",
    scope="apis:read",
    answers={200: CLAIMS},
    **ABOUT | {"refusals": (403, 404)},
)
def get_claims(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this."""
    return json_response(_claims_document(find_api(call, api_id)))


@operation(
    id="setAPIClaims",
    summary="Set the claims of an API's tokens",
    body=CLAIMS,
    answers={200: CLAIMS},
    example={"claims": [{"name": "tier", "source": "metadata", "path": "plan.tier"}]},
    **CHANGE,
)
def set_claims(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this. Its next access tokens, test tokens too, carry exactly these besides roles."""
    api = find_api(call, api_id)
    sent = _unique(call.body["claims"], "name", "claims")
    present = {claim.name: claim for claim in api.claims.all()}
    changed = []
    for name, each in sent.items():
        values = {"path": "", "value": None, "consent": ""} | each
        claim = present.get(name, ApiClaim(api=api))
        if _assign(claim, values):
            changed.append(claim)
    role_actions.update_api_claims(
        api=api,
        claims=changed,
        removed=[claim for name, claim in present.items() if name not in sent],
        actor=call.caller.actor,
    )
    return json_response(_claims_document(api))


def _assign(row: ApiRole | ApiClaim, values: dict[str, Any]) -> bool:
    """Set the values; return whether that is a change."""
    is_changed = row.pk is None or any(getattr(row, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(row, name, value)
    return is_changed


def _unique(rows: list[dict[str, Any]], key: str, field: str) -> dict[str, dict[str, Any]]:
    found = {row[key]: row for row in rows}
    if len(found) != len(rows):
        raise InvalidRequest(f"Name each {key} once.", field=field)
    return found


# -- Roles of a member ------------------------------------------------------------------------------------------------

OF_MEMBER: dict[str, Any] = {"tag": "Roles", "model": "consumers.consumer"}


def _held_document(grant: RoleGrant) -> dict[str, Any]:
    return {
        "api": grant.role.api.identifier,
        "role": grant.role.value,
        "name": grant.role.name,
        "source": grant.source,
        "connection": grant.connection.slug if grant.connection else None,
        "given_by": grant.created_by_label,
        "given_at": grant.created_at,
    }


def _member(call: ApiRequest, consumer: str, member_id: str) -> Membership:
    members = consumer_in_path(call, consumer).memberships.select_related("user", "consumer")
    member = members.filter(pk=parse_id(member_id)).first()
    if member is None:
        raise NotFound
    call.locked(User.objects.filter(pk=member.user_id)).first()  # as the action does
    return member


def _grants_of(member: Membership) -> list[RoleGrant]:
    grants = RoleGrant.objects.at(member.consumer).filter(user=member.user).select_related("role__api", "connection")
    return list(grants.order_by("role__api__identifier", "role__value", "pk"))


@operation(
    id="listMemberRoles",
    summary="List a person's roles in APIs",
    scope="consumers:read",
    answers={200: MEMBER_ROLES},
    refusals=(404,),
    **OF_MEMBER,
)
def list_member_roles(call: ApiRequest, consumer: str, member_id: str) -> HttpResponse:
    """Those that stand in tokens which the consumer's clients get for the person, from every source."""
    return json_response({"roles": [_held_document(each) for each in _grants_of(_member(call, consumer, member_id))]})


@operation(
    id="setMemberRoles",
    summary="Set a person's roles in APIs",
    scope="consumers:write",
    action="change",
    body=MEMBER_ROLES,
    answers={200: MEMBER_ROLES},
    example={"roles": [{"api": "https://api.example.com/shipments", "role": "dispatcher"}]},
    refusals=(404, 409, 412),
    **OF_MEMBER,
)
def set_member_roles(call: ApiRequest, consumer: str, member_id: str) -> HttpResponse:
    """A manager sets what managers gave, of the roles that they may give; an operator what operators gave here.

    What other sources gave stays, whether it is named or not. Everything but `api` and `role` is ignored.
    """
    member = _member(call, consumer, member_id)
    source = RoleSource.OPERATOR if call.is_operator else RoleSource.MANAGER
    wanted = {(each["api"], each["role"]) for each in call.body["roles"]}
    roles = _roles_named(wanted)
    grants = _grants_of(member)
    mine = {grant.role_id for grant in grants if grant.source == source and grant.consumer_id == member.consumer_id}
    others = {grant.role_id for grant in grants} - mine
    chosen = [role for role in roles if role.pk in mine or role.pk not in others]
    apis = {role.api for role in chosen} | {grant.role.api for grant in grants if grant.role_id in mine}
    with transaction.atomic():
        for api in sorted(apis, key=lambda api: api.pk):
            role_actions.set_roles(
                api=api,
                user=member.user,
                roles=[role for role in chosen if role.api == api],
                source=source,
                consumer=member.consumer,
                actor=call.caller.actor,
            )
    return json_response({"roles": [_held_document(each) for each in _grants_of(member)]})


def _roles_named(wanted: Iterable[tuple[str, str]]) -> list[ApiRole]:
    """Return the roles of these APIs and values. Raises InvalidRequest for one that there is not."""
    wanted = set(wanted)
    candidates = ApiRole.objects.select_related("api").filter(
        api__identifier__in={api for api, _ in wanted}, value__in={value for _, value in wanted}
    )
    found = {(role.api.identifier, role.value): role for role in candidates}
    if unknown := sorted(wanted - found.keys()):
        api, value = (text[:100] for text in unknown[0])
        raise InvalidRequest(f"There is no role {value!a} in an API {api!a}.", field="roles")
    return [found[each] for each in sorted(wanted)]


# -- All roles of people, for operators -------------------------------------------------------------------------------

OF_GRANT: dict[str, Any] = {"tag": "Roles", "model": "clients.rolegrant"}
FILTERS = {
    "email": TEXT | {"description": "Of this person."},
    "api": TEXT | {"description": "In the API of this identifier."},
    "consumer": TEXT | {"description": "At the clients of this consumer, by short name or ID."},
}


def _grant_document(grant: RoleGrant) -> dict[str, Any]:
    where = {"consumer": grant.consumer.slug if grant.consumer else None}
    held = {name: value for name, value in _held_document(grant).items() if name != "name"}
    return {"id": grant.pk, "email": grant.user.address} | held | where


def _all_grants() -> Any:
    return RoleGrant.objects.select_related("role__api", "user", "consumer", "connection")


@operation(
    id="listRoleGrants",
    summary="List who has which role",
    scope="apis:read",
    query=PAGING | FILTERS,
    answers={200: {"type": "array", "items": GRANT}},
    refusals=(403,),
    **OF_GRANT,
)
def list_grants(call: ApiRequest) -> HttpResponse:
    """Operators do this. Members of consumers and other people alike."""
    call.require_operator()
    grants = _all_grants()
    if email := call.query.get("email"):
        grants = grants.filter(user__in=User.objects.of_address(email))
    if identifier := call.query.get("api"):
        grants = grants.filter(role__api__identifier=identifier)
    if consumer := call.query.get("consumer"):
        grants = grants.filter(consumer_matches(consumer, "consumer__"))
    rows, headers = paginate(call.request, grants, call.query, whose=call.token_key)
    return json_response([_grant_document(grant) for grant in rows], headers=headers)


@operation(
    id="createRoleGrant",
    summary="Give a person a role",
    scope="apis:write",
    action="add",
    body=GRANT,
    answers={201: GRANT},
    example={"email": "bob@acme.example", "api": "https://api.example.com/shipments", "role": "dispatcher"},
    refusals=(403, 409),
    **OF_GRANT,
)
def create_grant(call: ApiRequest) -> HttpResponse:
    """Operators do this, also for people who are no members: at one consumer's clients, or at all."""
    call.require_operator()
    sent = call.body
    person = User.objects.of_address(sent["email"]).first()
    if person is None:
        raise InvalidRequest("Nobody here has this email address.", field="email")
    consumer = None
    if sent.get("consumer"):
        consumer = Consumer.objects.filter(consumer_matches(sent["consumer"])).first()
        if consumer is None:
            raise InvalidRequest("There is no consumer of that name.", field="consumer")
    (role,) = _roles_named([(sent["api"], sent["role"])])
    grant = role_actions.give_role(role=role, user=person, consumer=consumer, actor=call.caller.actor)
    return json_response(_grant_document(grant), 201, {"Location": f"/admin/role-grants/{grant.pk}"})


@operation(
    id="getRoleGrant",
    summary="Read a role of a person",
    scope="apis:read",
    answers={200: GRANT},
    refusals=(403, 404),
    **OF_GRANT,
)
def get_grant(call: ApiRequest, grant_id: str) -> HttpResponse:
    """Operators do this."""
    return json_response(_grant_document(_find_grant(call, grant_id)))


@operation(
    id="deleteRoleGrant",
    summary="Take a role from a person",
    scope="apis:write",
    action="delete",
    answers={204: "The next token, and introspection, are without it."},
    refusals=(403, 404, 412),
    **OF_GRANT,
)
def delete_grant(call: ApiRequest, grant_id: str) -> HttpResponse:
    """Operators do this, whoever gave it."""
    role_actions.take_role(grant=_find_grant(call, grant_id), actor=call.caller.actor)
    return no_content()


def _find_grant(call: ApiRequest, grant_id: str) -> RoleGrant:
    call.require_operator()
    grant: RoleGrant | None = call.locked(_all_grants()).filter(pk=parse_id(grant_id)).first()
    if grant is None:
        raise NotFound
    return grant
