"""APIs with their scopes, and which of them a consumer may use (/admin/apis, /admin/consumers/{consumer}/access)."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse

from clients.actions import apis as api_actions
from clients.models import Api, Client, Scope
from consumers.rest.lookups import consumer_at, number
from consumers.rest.operations import Call, answer, nothing, operation
from core.jose.algorithms import SigningAlgorithm
from core.rest.errors import InvalidRequest, NotFound
from core.rest.paging import PAGING, page

ABOUT: dict[str, Any] = {"tag": "APIs", "model": "clients.api"}
CHANGE = ABOUT | {"scope": "apis:write", "action": "change", "refusals": (404, 409)}
SCOPE: dict[str, Any] = {
    "title": "Scope",
    "type": "object",
    "required": ["value", "name"],
    "properties": {
        "value": {"type": "string", "maxLength": 100, "description": "As programs ask for it. It never changes."},
        "name": {"type": "string", "maxLength": 100, "description": "As people read it."},
        "description": {"type": "string", "maxLength": 300},
    },
    "additionalProperties": False,
}
API: dict[str, Any] = {
    "title": "API",
    "type": "object",
    "required": ["identifier", "name"],
    "properties": {
        "id": {"type": "integer"},
        "identifier": {
            "type": "string",
            "maxLength": 200,
            "description": "The audience of its tokens. It never changes.",
        },
        "name": {"type": "string", "maxLength": 100},
        "description": {"type": "string", "maxLength": 300},
        "signing_algorithm": {"type": "string", "enum": list(SigningAlgorithm.values)},
        "access_token_lifetime": {
            "type": "integer",
            "minimum": 60,
            "maximum": 2**31 - 1,
            "description": "Seconds, at most.",
        },
        "refresh_token_lifetime": {
            "type": ["integer", "null"],
            "minimum": 60,
            "maximum": 2**31 - 1,
            "description": "Seconds for which a client can refresh a person's tokens; null sets no limit.",
        },
        "is_production": {"type": "boolean", "description": "Serves real data: nobody can make test tokens for it."},
        "allows_test_tokens": {"type": "boolean", "description": "Whether managers may make test tokens for it."},
        "scopes": {"type": "array", "items": SCOPE, "maxItems": 200},
        "created_at": {"type": "string", "format": "date-time"},
    },
    "additionalProperties": False,
}
ACCESS: dict[str, Any] = {
    "title": "Access",
    "type": "object",
    "required": ["scopes"],
    "properties": {"scopes": {"type": "array", "items": {"type": "string"}, "maxItems": 1000}},
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
PLAIN = ("identifier", "name", *DEFAULTS)


def _document(api: Api, scopes: list[Scope]) -> dict[str, Any]:
    return {
        "id": api.pk,
        **{name: getattr(api, name) for name in PLAIN},
        "scopes": [{"value": each.value, "name": each.name, "description": each.description} for each in scopes],
        "created_at": api.created_at,
    }


def _visible(call: Call) -> QuerySet[Scope]:
    """Return the scopes that the caller may know of: all for operators, else those that their consumers may use."""
    if call.is_operator and call.caller.consumer_id is None:
        return Scope.objects.all()
    return Scope.objects.filter(access__consumer__in=call.readable()).distinct()


@operation(
    id="listAPIs",
    summary="List APIs",
    scope="apis:read",
    query=PAGING,
    answers={200: {"type": "array", "items": API}},
    **ABOUT,
)
def list_apis(call: Call) -> HttpResponse:
    """Each with its scopes, as far as a consumer in reach may use them."""
    known = _visible(call)
    found = Api.objects.all() if call.is_operator else Api.objects.filter(scopes__in=known).distinct()
    rows, headers = page(call.request, found, call.query, whose=call.token_key)
    scopes = list(known.filter(api__in=[api.pk for api in rows]).order_by("id"))
    shown = [_document(api, [each for each in scopes if each.api_id == api.pk]) for api in rows]
    return answer(shown, headers=headers)


@operation(
    id="createAPI",
    summary="Describe an API",
    scope="apis:write",
    action="add",
    body=API,
    answers={201: API},
    example=EXAMPLE,
    refusals=(409,),
    **ABOUT,
)
def create_api(call: Call) -> HttpResponse:
    """Operators do this. Consumers use it once they are given access to its scopes."""
    call.require_operator()
    sent = DEFAULTS | call.body
    scopes = [Scope(**each) for each in _once(sent.get("scopes", []))]
    api = api_actions.create_api(
        api=Api(**{name: sent[name] for name in PLAIN}), scopes=scopes, actor=call.caller.actor
    )
    return answer(_document(api, scopes), 201, {"Location": f"/admin/apis/{api.pk}"})


@operation(id="getAPI", summary="Read an API", scope="apis:read", answers={200: API}, refusals=(404,), **ABOUT)
def get_api(call: Call, api_id: str) -> HttpResponse:
    api = Api.objects.filter(pk=number(api_id)).first()
    scopes = list(_visible(call).filter(api=api).order_by("id")) if api is not None else []
    if api is None or not (scopes or call.is_operator):
        raise NotFound
    return answer(_document(api, scopes))


@operation(id="setAPI", summary="Replace an API", body=API, answers={200: API}, example=EXAMPLE, **CHANGE)
def set_api(call: Call, api_id: str) -> HttpResponse:
    """Operators do this. Its identifier and the values of its scopes never change; a scope in use cannot be dropped."""
    api = _find_api(call, api_id)
    sent = DEFAULTS | call.body
    present = {scope.value: scope for scope in api.scopes.all()}
    wanted = {each["value"]: each for each in _once(sent.get("scopes", []))}
    changed = [name for name in PLAIN if getattr(api, name) != sent[name]]
    for name in changed:
        setattr(api, name, sent[name])
    scopes = []
    for value, each in wanted.items():
        scope = present.get(value) or Scope(value=value)
        words = (each["name"], each.get("description", ""))
        if not scope.pk or (scope.name, scope.description) != words:
            scope.name, scope.description = words
            scopes.append(scope)
    api_actions.update_api(
        api=api,
        changed=changed,
        scopes=scopes,
        removed=[scope for value, scope in present.items() if value not in wanted],
        actor=call.caller.actor,
    )
    return answer(_document(api, list(api.scopes.order_by("id"))))


@operation(
    id="deleteAPI",
    summary="Delete an API",
    scope="apis:write",
    action="change",
    answers={204: "It is gone, and with it its scopes, from every consumer and client."},
    refusals=(404,),
    **ABOUT,
)
def delete_api(call: Call, api_id: str) -> HttpResponse:
    """Operators do this."""
    api_actions.delete_api(api=_find_api(call, api_id), actor=call.caller.actor)
    return nothing()


def _find_api(call: Call, api_id: str) -> Api:
    call.require_operator()
    api = Api.objects.filter(pk=number(api_id)).first()
    if api is None:
        raise NotFound
    return api


def _once(scopes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len({each["value"] for each in scopes}) != len(scopes):
        raise InvalidRequest("Name each scope once.", field="scopes")
    return scopes


SERVERS: dict[str, Any] = {
    "title": "ResourceServers",
    "type": "object",
    "required": ["clients"],
    "properties": {"clients": {"type": "array", "items": {"type": "string"}, "maxItems": 50}},
    "additionalProperties": False,
}


@operation(
    id="setResourceServers",
    summary="Say which clients are an API itself",
    body=SERVERS,
    answers={200: SERVERS},
    example={"clients": ["cl_8fj2k3m4n5p6q7r8s9t2"]},
    **CHANGE,
)
def set_resource_servers(call: Call, api_id: str) -> HttpResponse:
    """Operators do this. With the credentials of these clients the API asks about tokens for it (RFC 7662)."""
    api, wanted = _find_api(call, api_id), set(call.body["clients"])
    found = list(Client.objects.filter(client_id__in=wanted))
    if len(found) != len(wanted):
        raise InvalidRequest("One of these clients does not exist.", field="clients")
    api_actions.set_resource_servers(api=api, clients=found, actor=call.caller.actor)
    return answer({"clients": sorted(wanted)})


# -- Access -----------------------------------------------------------------------------------------------------------

OF_CONSUMER = ABOUT | {"model": "consumers.consumer", "tag": "Consumers", "answers": {200: ACCESS}, "refusals": (404,)}


@operation(id="getAccess", summary="Read what a consumer may use", scope="apis:read", **OF_CONSUMER)
def get_access(call: Call, consumer: str) -> HttpResponse:
    """The scopes that its clients may have."""
    found = consumer_at(call, consumer)
    values = Scope.objects.filter(access__consumer=found).order_by("value").values_list("value", flat=True)
    return answer({"scopes": list(values)})


@operation(
    id="setAccess",
    summary="Set what a consumer may use",
    scope="apis:write",
    action="change",
    body=ACCESS,
    example={"scopes": ["shipments:read"]},
    **OF_CONSUMER,
)
def set_access(call: Call, consumer: str) -> HttpResponse:
    """Operators do this. It gets exactly these scopes; one that is taken away stops at once."""
    call.require_operator()
    found, wanted = consumer_at(call, consumer), set(call.body["scopes"])
    scopes = list(Scope.objects.filter(value__in=wanted))
    if unknown := sorted(wanted - {scope.value for scope in scopes}):
        raise InvalidRequest(f"There is no scope {unknown[0][:100]!a}.", field="scopes")
    api_actions.set_access(consumer=found, scopes=scopes, actor=call.caller.actor)
    return answer({"scopes": sorted(wanted)})
