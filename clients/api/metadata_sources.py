"""Metadata sources of dynamic registration: software statement issuers, and hosts of metadata documents."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse

from clients.actions import registration as registration_actions
from clients.api.lookups import consumer_in_body
from clients.api.registration import LIMITS
from clients.api.trusted_issuers import KEYS
from clients.models import DocumentHost, SoftwareIssuer
from consumers.rest.lookups import parse_id
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema
from core.rest.errors import NotFound

TEXT = {"type": "string"}
SOFTWARE_ISSUER: dict[str, Any] = {
    "title": "SoftwareIssuer",
    "type": "object",
    "required": ["issuer"],
    "properties": KEYS
    | {
        "id": {"type": "integer"},
        "issuer": TEXT
        | length_schema(SoftwareIssuer, "issuer")
        | {"minLength": 1, "description": "The iss of its statements."},
        "required": {"type": "boolean", "description": "Whether clients register only with such a statement."},
    },
    "additionalProperties": False,
}
DOCUMENT_HOST: dict[str, Any] = {
    "title": "DocumentHost",
    "type": "object",
    "required": ["host", "consumer"],
    "properties": LIMITS
    | {
        "id": {"type": "integer"},
        "host": TEXT
        | length_schema(DocumentHost, "host")
        | {"minLength": 1, "description": "In small letters, without a scheme."},
        "consumer": TEXT | {"description": "Short name or ID of the consumer."},
    },
    "additionalProperties": False,
}


type Source = DocumentHost | SoftwareIssuer


def _source_document(source: Source) -> dict[str, Any]:
    if isinstance(source, SoftwareIssuer):
        return {name: getattr(source, name) for name in SOFTWARE_ISSUER["properties"]}
    return {name: getattr(source, name) for name in ("id", "host", *LIMITS)} | {"consumer": source.consumer.slug}


def _fill(source: Source, sent: dict[str, Any]) -> Source:
    """Set the fields to the members of the body, or to their defaults."""
    if isinstance(source, SoftwareIssuer):
        source.issuer, source.required = sent["issuer"], sent.get("required", False)
        source.jwks_uri, source.jwks = sent.get("jwks_uri", ""), sent.get("jwks") or None
    else:
        source.host, source.consumer = sent["host"], consumer_in_body(sent["consumer"])
        source.grant_types, source.scopes = sent.get("grant_types", []), sent.get("scopes", [])
        source.client_lifetime_days = sent.get("client_lifetime_days")
    return source


def _source_at(model: type[DocumentHost] | type[SoftwareIssuer], call: ApiRequest, source_id: str) -> Source:
    """Return the source, for operators. Raises NotFound."""
    call.require_operator()
    rows: QuerySet[Any] = model.objects.filter(pk=parse_id(source_id))
    source: Source | None = call.locked(rows).first()
    if source is None:
        raise NotFound
    return source


def _operations(
    model: type[DocumentHost] | type[SoftwareIssuer], schema: dict[str, Any], words: str, example: Any
) -> Any:
    """Return the operations of the collection and of one source, each by HTTP method."""

    def list_sources(call: ApiRequest) -> HttpResponse:
        """Operators do this."""
        call.require_operator()
        return json_response([_source_document(source) for source in model.objects.order_by("pk")])

    def create_source(call: ApiRequest) -> HttpResponse:
        """Operators do this. From then on clients may register by it."""
        call.require_operator()
        source = _fill(model(), call.body)
        registration_actions.save_metadata_source(source=source, actor=call.caller.actor)
        location = f"{call.request.path.rstrip('/')}/{source.pk}"
        return json_response(_source_document(source), 201, {"Location": location})

    def get_source(call: ApiRequest, source_id: str) -> HttpResponse:
        """Operators do this."""
        return json_response(_source_document(_source_at(model, call, source_id)))

    def set_source(call: ApiRequest, source_id: str) -> HttpResponse:
        """Operators do this. Members that are left out get their defaults."""
        source = _fill(_source_at(model, call, source_id), call.body)
        registration_actions.save_metadata_source(source=source, actor=call.caller.actor)
        return json_response(_source_document(source))

    def delete_source(call: ApiRequest, source_id: str) -> HttpResponse:
        """Operators do this. Clients that registered by it stay."""
        registration_actions.delete_metadata_source(source=_source_at(model, call, source_id), actor=call.caller.actor)
        return no_content()

    handlers = {"list": list_sources, "create": create_source, "get": get_source}
    handlers |= {"set": set_source, "delete": delete_source}
    return _declare(model.__name__, schema, words, example, handlers)


def _declare(name: str, schema: dict[str, Any], words: str, example: Any, handlers: dict[str, Any]) -> Any:
    about: dict[str, Any] = {"tag": "Registration", "model": f"clients.{name.lower()}"}
    add = about | {"scope": "clients:write", "refusals": (403, 404, 409)}
    change = add | {"refusals": (403, 404, 409, 412)}
    rows = {200: {"type": "array", "items": schema}}
    body = {"body": schema, "example": example}
    of_all = {
        "GET": operation(
            id=f"list{name}s", summary=f"List {words}s", answers=rows, scope="clients:read", refusals=(403,), **about
        )(handlers["list"]),
        "POST": operation(
            id=f"create{name}", summary=f"Create a {words}", action="add", answers={201: schema}, **body, **add
        )(handlers["create"]),
    }
    of_one = {
        "GET": operation(
            id=f"get{name}",
            summary=f"Read a {words}",
            answers={200: schema},
            scope="clients:read",
            refusals=(403, 404),
            **about,
        )(handlers["get"]),
        "PUT": operation(
            id=f"set{name}", summary=f"Change a {words}", action="change", answers={200: schema}, **body, **change
        )(handlers["set"]),
        "DELETE": operation(
            id=f"delete{name}",
            summary=f"Delete a {words}",
            action="delete",
            answers={204: "Deleted."},
            **change,
        )(handlers["delete"]),
    }
    return of_all, of_one


ALL_SOFTWARE_ISSUERS, ONE_SOFTWARE_ISSUER = _operations(
    SoftwareIssuer,
    SOFTWARE_ISSUER,
    "software publisher",
    {"issuer": "https://publisher.example.com", "jwks_uri": "https://publisher.example.com/keys"},
)
ALL_DOCUMENT_HOSTS, ONE_DOCUMENT_HOST = _operations(
    DocumentHost, DOCUMENT_HOST, "metadata document host", {"host": "apps.example.com", "consumer": "sandbox"}
)
