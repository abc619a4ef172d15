"""APIs with their scopes, and consumers' access (/admin/apis, /admin/consumers/{consumer}/access)."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse

from clients.actions import apis as api_actions
from clients.api.sign_in_rules import MEMBERS, apply_sign_in, sign_in_document
from clients.api.workspace_requests import read_end
from clients.models import Access, Api, Client, Scope
from consumers.models import Consumer
from consumers.rest.lookups import consumer_in_path, parse_id
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.jose.algorithms import SigningAlgorithm
from core.limits import length_schema, number_schema
from core.rest import patch
from core.rest.errors import InvalidRequest, NotFound
from core.rest.paging import PAGING, paginate
from core.rest.schemas import validate

ABOUT: dict[str, Any] = {"tag": "APIs", "model": "clients.api"}
CHANGE = ABOUT | {"scope": "apis:write", "action": "change", "refusals": (404, 409, 412)}
SCOPE: dict[str, Any] = {
    "title": "Scope",
    "type": "object",
    "required": ["value", "name"],
    "properties": {
        "value": length_schema(Scope, "value")
        | {"type": "string", "description": "As programs ask for it. It never changes."},
        "name": length_schema(Scope, "name") | {"type": "string", "description": "As people read it."},
        "description": length_schema(Scope, "description") | {"type": "string"},
    },
    "additionalProperties": False,
}
API: dict[str, Any] = {
    "title": "API",
    "type": "object",
    "required": ["identifier", "name"],
    "properties": {
        "id": {"type": "integer"},
        "identifier": length_schema(Api, "identifier")
        | {"type": "string", "description": "The audience of its tokens. It never changes."},
        "name": length_schema(Api, "name") | {"type": "string"},
        "description": length_schema(Api, "description") | {"type": "string"},
        "signing_algorithm": {"type": "string", "enum": list(SigningAlgorithm.values)},
        "access_token_lifetime": number_schema(Api, "access_token_lifetime")
        | {"type": "integer", "description": "Seconds, at most."},
        "refresh_token_lifetime": number_schema(Api, "refresh_token_lifetime")
        | {
            "type": ["integer", "null"],
            "description": "Seconds for which a client can refresh a person's tokens; null sets no limit.",
        },
        "is_production": {"type": "boolean", "description": "Serves real data: nobody can create test tokens for it."},
        "allows_test_tokens": {"type": "boolean", "description": "Whether managers may create test tokens for it."},
        **MEMBERS,
        "scopes": {"type": "array", "items": SCOPE, "maxItems": api_actions.MAX_SCOPES},
        "created_at": {"type": "string", "format": "date-time"},
    },
    "additionalProperties": False,
}
ACCESS: dict[str, Any] = {
    "title": "Access",
    "type": "object",
    "required": ["scopes"],
    "properties": {
        "scopes": {"type": "array", "items": {"type": "string"}, "maxItems": 1000},
        "expires_at": {
            "type": "object",
            "additionalProperties": {"type": ["string", "null"], "format": "date-time"},
            "maxProperties": 1000,
            "description": "When a scope expires. What is left out keeps its expiry; null is for good.",
        },
    },
    "additionalProperties": False,
}
EXAMPLE = {
    "identifier": "https://api.example.com/shipments",
    "name": "Shipments",
    "scopes": [{"value": "shipments:read", "name": "Read shipments"}],
}
DEFAULTS: dict[str, Any] = {
    "description": "",
    "signing_algorithm": SigningAlgorithm.ES256.value,
    "access_token_lifetime": 3600,
    "refresh_token_lifetime": None,
    "is_production": False,
    "allows_test_tokens": False,
}
FIELDS = ("identifier", "name", *DEFAULTS)
READ_ONLY = ("id", "created_at")
FIXED = (*READ_ONLY, "identifier")


def _api_document(call: ApiRequest, api: Api, scopes: Iterable[Scope]) -> dict[str, Any]:
    """Return the API as the caller may see it: how people sign in is the operators' alone."""
    return {
        "id": api.pk,
        **{name: getattr(api, name) for name in FIELDS},
        **(sign_in_document(api) if call.is_operator else {}),
        "scopes": [{"value": each.value, "name": each.name, "description": each.description} for each in scopes],
        "created_at": api.created_at,
    }


def _readable_scopes(call: ApiRequest) -> QuerySet[Scope]:
    """Return the scopes that the caller may read: all for operators, else those of their consumers."""
    if call.is_operator and call.caller.consumer_id is None:
        return Scope.objects.all()
    mine = Access.objects.live().filter(consumer__in=call.readable())
    return Scope.objects.filter(pk__in=mine.values("scope"))


@operation(
    id="listAPIs",
    summary="List APIs",
    scope="apis:read",
    query=PAGING,
    answers={200: {"type": "array", "items": API}},
    **ABOUT,
)
def list_apis(call: ApiRequest) -> HttpResponse:
    """Each with its scopes, as far as a consumer in reach may use them."""
    readable = _readable_scopes(call)
    rows_of_all = Api.objects.prefetch_related("sign_in_connections")
    found = rows_of_all if call.is_operator else Api.objects.filter(scopes__in=readable).distinct()
    rows, headers = paginate(call.request, found, call.query, whose=call.token_key)
    scopes = list(readable.filter(api__in=[api.pk for api in rows]).order_by("id"))
    documents = [_api_document(call, api, [each for each in scopes if each.api_id == api.pk]) for api in rows]
    return json_response(documents, headers=headers)


@operation(
    id="createAPI",
    summary="Create an API",
    scope="apis:write",
    action="add",
    body=API,
    answers={201: API},
    example=EXAMPLE,
    refusals=(409,),
    **ABOUT,
)
def create_api(call: ApiRequest) -> HttpResponse:
    """Operators do this. Consumers use it once they are given access to its scopes."""
    call.require_operator()
    sent = DEFAULTS | call.body
    scopes = [Scope(**each) for each in _unique(sent.get("scopes", []))]
    with transaction.atomic():
        api = api_actions.create_api(
            api=Api(**{name: sent[name] for name in FIELDS}), scopes=scopes, actor=call.caller.actor
        )
        api = apply_sign_in(api, call.body, call.caller.actor)
    return json_response(_api_document(call, api, scopes), 201, {"Location": f"/admin/apis/{api.pk}"})


@operation(id="getAPI", summary="Read an API", scope="apis:read", answers={200: API}, refusals=(404,), **ABOUT)
def get_api(call: ApiRequest, api_id: str) -> HttpResponse:
    api = find_readable_api(call, api_id)
    return json_response(_api_document(call, api, _readable_scopes(call).filter(api=api).order_by("id")))


def find_readable_api(call: ApiRequest, api_id: str) -> Api:
    """Return the API, for operators and for consumers that may use it. Raises NotFound."""
    api = call.locked(Api.objects.filter(pk=parse_id(api_id))).first()
    if api is None or not (call.is_operator or _readable_scopes(call).filter(api=api).exists()):
        raise NotFound
    return api


@operation(id="setAPI", summary="Replace an API", body=API, answers={200: API}, example=EXAMPLE, **CHANGE)
def set_api(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this. Its identifier and the values of its scopes never change; a scope in use cannot be dropped.

    What says who may sign in stays as it is where it is left out; else members that are left out get their defaults.
    """
    return _update(call, find_api(call, api_id), call.body)


@operation(
    id="patchAPI",
    summary="Patch an API",
    body=patch.PATCH,
    media_types=patch.MEDIA_TYPES,
    answers={200: API},
    example=[{"op": "replace", "path": "/requires_two_factors", "value": True}],
    **CHANGE,
)
def patch_api(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this, by JSON Patch (RFC 6902) with add, remove and replace."""
    api = find_api(call, api_id)
    before = _api_document(call, api, api.scopes.order_by("id"))
    after = patch.apply_patch({name: before[name] for name in before if name not in READ_ONLY}, call.body, FIXED)
    validate(after, API)
    return _update(call, api, after)


def _update(call: ApiRequest, api: Api, body: dict[str, Any]) -> HttpResponse:
    sent = DEFAULTS | body
    present = {scope.value: scope for scope in api.scopes.all()}
    requested = {each["value"]: each for each in _unique(sent.get("scopes", []))}
    scopes = []
    for value, each in requested.items():
        scope = present.get(value) or Scope(value=value)
        words = (each["name"], each.get("description", ""))
        if not scope.pk or (scope.name, scope.description) != words:
            scope.name, scope.description = words
            scopes.append(scope)
    with transaction.atomic():
        api = api_actions.update_api(
            api=api,
            values={name: sent[name] for name in FIELDS},
            scopes=scopes,
            removed=[scope for value, scope in present.items() if value not in requested],
            actor=call.caller.actor,
        )
        api = apply_sign_in(api, body, call.caller.actor)
    return json_response(_api_document(call, api, api.scopes.order_by("id")))


@operation(
    id="deleteAPI",
    summary="Delete an API",
    scope="apis:write",
    action="change",
    answers={204: "Deleted, with its scopes, from every consumer and client."},
    refusals=(404, 412),
    **ABOUT,
)
def delete_api(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this."""
    api_actions.delete_api(api=find_api(call, api_id), actor=call.caller.actor)
    return no_content()


def find_api(call: ApiRequest, api_id: str) -> Api:
    """Return the API, for operators. Raises AccessDenied and NotFound."""
    call.require_operator()
    api = call.locked(Api.objects.filter(pk=parse_id(api_id))).first()
    if api is None:
        raise NotFound
    return api


def _unique(scopes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len({each["value"] for each in scopes}) != len(scopes):
        raise InvalidRequest("Name each scope once.", field="scopes")
    return scopes


RESOURCE_SERVERS: dict[str, Any] = {
    "title": "ResourceServers",
    "type": "object",
    "required": ["clients"],
    "properties": {
        "clients": {"type": "array", "items": {"type": "string"}, "maxItems": api_actions.MAX_RESOURCE_SERVERS}
    },
    "additionalProperties": False,
}


@operation(
    id="getResourceServers",
    summary="Read which clients act for an API",
    scope="apis:read",
    answers={200: RESOURCE_SERVERS},
    refusals=(403, 404),
    **ABOUT,
)
def get_resource_servers(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this."""
    servers = find_api(call, api_id).resource_servers.order_by("client_id")
    return json_response({"clients": list(servers.values_list("client_id", flat=True))})


@operation(
    id="setResourceServers",
    summary="Set which clients act for an API",
    body=RESOURCE_SERVERS,
    answers={200: RESOURCE_SERVERS},
    example={"clients": ["cl_8fj2k3m4n5p6q7r8s9t2"]},
    **CHANGE,
)
def set_resource_servers(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this. With the credentials of these clients the API asks about tokens for it (RFC 7662)."""
    api, requested = find_api(call, api_id), set(call.body["clients"])
    found = list(Client.objects.filter(client_id__in=requested))
    if len(found) != len(requested):
        raise InvalidRequest("One of these clients does not exist.", field="clients")
    api_actions.set_resource_servers(api=api, clients=found, actor=call.caller.actor)
    return json_response({"clients": sorted(requested)})


# -- Access -----------------------------------------------------------------------------------------------------------

OF_CONSUMER = ABOUT | {"model": "consumers.consumer", "tag": "Consumers", "answers": {200: ACCESS}, "refusals": (404,)}


@operation(id="getAccess", summary="Read what a consumer may use", scope="apis:read", **OF_CONSUMER)
def get_access(call: ApiRequest, consumer: str) -> HttpResponse:
    """The scopes that its clients may have."""
    found = consumer_in_path(call, consumer, itself=True)
    return json_response(_access_document(found))


def _access_document(consumer: Consumer) -> dict[str, Any]:
    live = consumer.access.live().order_by("scope__value").values_list("scope__value", "expires_at")
    return {
        "scopes": [value for value, _ in live],
        "expires_at": {value: end for value, end in live if end is not None},
    }


@operation(
    id="setAccess",
    summary="Set what a consumer may use",
    scope="apis:write",
    action="change",
    body=ACCESS,
    example={"scopes": ["shipments:read"]},
    **OF_CONSUMER | {"refusals": (404, 412)},
)
def set_access(call: ApiRequest, consumer: str) -> HttpResponse:
    """Operators do this. It gets exactly these scopes; one that is taken away stops at once."""
    call.require_operator()
    found, requested = consumer_in_path(call, consumer, itself=True), set(call.body["scopes"])
    scopes = list(Scope.objects.filter(value__in=requested))
    if unknown := sorted(requested - {scope.value for scope in scopes}):
        raise InvalidRequest(f"There is no scope {unknown[0][:100]!a}.", field="scopes")
    ends = {value: read_end(end) for value, end in call.body.get("expires_at", {}).items()}
    if beyond := sorted(ends.keys() - requested):
        raise InvalidRequest(f"expires_at names {beyond[0][:100]!a}, which is none of the scopes.", field="expires_at")
    api_actions.set_access(consumer=found, scopes=scopes, ends=ends, actor=call.caller.actor)
    return json_response(_access_document(found))
