"""Connections to identity providers (/admin/connections)."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from connections.actions import connections as connection_actions
from connections.api.lookups import connection_at, require_operator
from connections.documents import ANSWERS, MEMBERS, consumers_of, fields_of
from connections.models import Connection, Identity, Source
from connections.policy import MAX_SECRET
from connections.presets import PRESETS, PresetName
from connections.relying_party.addresses import registration_addresses
from consumers.rest.lookups import consumer_matches
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.rest import etags, patch
from core.rest.paging import PAGING, paginate
from core.rest.schemas import Schema, validate

ABOUT: dict[str, Any] = {"tag": "Connections", "model": "connections.connection"}
READ = ABOUT | {"scope": "connections:read"}
CHANGE = ABOUT | {"scope": "connections:write", "action": "change", "refusals": (403, 404, 409, 412)}
TEXT: dict[str, Any] = {"type": "string"}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
# Sent, and never answered.
WRITE_ONLY: dict[str, Schema] = {
    "client_secret": TEXT
    | {
        "maxLength": MAX_SECRET,
        "description": "Stored encrypted, and in no answer. Left out it stays; “” removes it.",
    },
    "preset_answers": ANSWERS,
}
READ_ONLY: dict[str, Schema] = {
    "id": TEXT | {"description": "Never changes."},
    "has_client_secret": {"type": "boolean"},
    "redirect_uri": TEXT | {"description": "To register at the provider."},
    "initiate_login_uri": TEXT | {"description": "Where the provider may start a sign-in (Core section 4)."},
    "backchannel_logout_uri": TEXT | {"description": "Where the provider may end sessions."},
    "jwks_uri": {
        "type": ["string", "null"],
        "description": "Where the keys are with which the portal authenticates there, for private_key_jwt.",
    },
    "source": TEXT | {"enum": Source.values, "description": "file: kept in CONNECTIONS_FILE, and changed there alone."},
    "state": TEXT | {"enum": ["works", "unreachable", "not_tested"], "description": "By what happened last."},
    "problem": TEXT | {"description": "What the last sign-in failed by, where the provider is at fault."},
    "problem_at": MOMENT,
    "people": {"type": "integer", "description": "How many are connected to an account."},
    "tested_at": MOMENT,
    "signed_in_at": MOMENT,
    "required_at": MOMENT,
    "created_at": TEXT | {"format": "date-time"},
}
# In the order of `registration_addresses`.
ADDRESSES = ("redirect_uri", "initiate_login_uri", "backchannel_logout_uri", "jwks_uri")
# They change without anybody changing the connection, so that If-Match does not compare them.
OF_USE = frozenset({"state", "problem", "problem_at", "people", "tested_at", "signed_in_at"})
CONNECTION: dict[str, Any] = {
    "title": "Connection",
    "type": "object",
    "required": ["name", "slug", "client_id"],
    "properties": READ_ONLY | MEMBERS | WRITE_ONLY,
    "additionalProperties": False,
}
PRESET: dict[str, Any] = {
    "title": "ConnectionPreset",
    "type": "object",
    "properties": {
        "preset": TEXT | {"enum": PresetName.values},
        "name": TEXT,
        "asks": {"type": "object", "additionalProperties": TEXT, "description": "Members of preset_answers, in words."},
        "examples": {"type": "object", "additionalProperties": TEXT},
        "issuer": TEXT | {"description": "The template that the answers fill."},
        "scopes": {"type": "array", "items": TEXT},
        "verified_claim": TEXT,
        "groups_claim": TEXT,
        "domain_claim": TEXT,
        "where": TEXT | {"description": "Where the portal is registered there."},
    },
}
EXAMPLE = {
    "name": "Acme Okta",
    "slug": "acme-okta",
    "preset": "okta",
    "preset_answers": {"domain": "acme.okta.com"},
    "client_id": "0oa1b2c3d4",
    "client_secret": "what Okta shows you",
}


def connection_documents(rows: Iterable[Connection]) -> list[dict[str, Any]]:
    """Return the documents of these connections, without the secrets."""
    rows = list(rows)
    counted = Identity.objects.filter(connection__in=rows).order_by().values_list("connection")
    people = dict(counted.annotate(Count("pk")))
    return [_document(row, people.get(row.pk, 0)) for row in rows]


def _document(row: Connection, people: int) -> dict[str, Any]:
    shown = {name: getattr(row, name) for name in MEMBERS.keys() | READ_ONLY.keys() if hasattr(row, name)}
    return shown | {
        "id": str(row.pk),
        "consumers": sorted(each.slug for each in row.consumers.all()),
        "operator_group": row.operator_group.name if row.operator_group else None,
        "jwks_uri": None,
        **dict(zip(ADDRESSES, (address for _, address in registration_addresses(row)), strict=False)),
        "people": people,
    }


def _answer(row: Connection, status: int = 200) -> HttpResponse:
    (document,) = connection_documents([row])
    set_by_somebody = {name: value for name, value in document.items() if name not in OF_USE}
    revision = etags.revision_of(etags.etag(set_by_somebody))
    location = {"Location": f"/admin/connections/{row.slug}"} if status == 201 else {}
    return json_response(document, status, location, revision=revision)


@operation(
    id="listConnections",
    summary="List connections",
    query=PAGING
    | {
        "q": TEXT | {"description": "A part of the name, short name, issuer or of a domain."},
        "consumer": TEXT | {"description": "Those that are for this consumer alone, or for it and others."},
    },
    answers={200: {"type": "array", "items": CONNECTION}},
    refusals=(403,),
    **READ,
)
def list_connections(call: ApiRequest) -> HttpResponse:
    """Operators do this."""
    require_operator(call)
    found = Connection.objects.select_related("operator_group").prefetch_related("consumers")
    if text := call.query.get("q"):
        domains = Q(pk__in=Connection.objects.filter(domains__name__icontains=text).values("pk"))
        found = found.filter(Q(name__icontains=text) | Q(slug__icontains=text) | Q(issuer__icontains=text) | domains)
    if "consumer" in call.query:
        of_consumer = Connection.objects.filter(consumer_matches(call.query["consumer"], "consumers__"))
        found = found.filter(pk__in=of_consumer.values("pk"))
    rows, headers = paginate(call.request, found, call.query, whose=call.token_key)
    return json_response(connection_documents(rows), headers=headers)


@operation(
    id="createConnection",
    summary="Connect an identity provider",
    body=CONNECTION,
    answers={201: CONNECTION},
    example=EXAMPLE,
    **CHANGE | {"action": "add", "refusals": (403, 409)},
)
@sensitive_variables("sent", "secret")
def create_connection(call: ApiRequest) -> HttpResponse:
    """Operators do this. Register its redirect_uri at the provider, add and verify a domain, test it, then offer it.

    `preset` and `preset_answers` stand for issuer, scopes and claims; what is sent besides them counts.
    """
    require_operator(call)
    sent = call.body
    secret = sent.get("client_secret", "")
    made = connection_actions.create_connection(
        connection=Connection(**fields_of(sent, has_secret=bool(secret))),
        client_secret=secret,
        consumers=consumers_of(sent.get("consumers", [])),
        actor=call.caller.actor,
    )
    return _answer(made, 201)


@operation(id="getConnection", summary="Read a connection", answers={200: CONNECTION}, refusals=(403, 404), **READ)
def get_connection(call: ApiRequest, connection: str) -> HttpResponse:
    """Operators do this."""
    return _answer(connection_at(call, connection))


@operation(
    id="setConnection",
    summary="Replace a connection",
    body=CONNECTION,
    answers={200: CONNECTION},
    example=EXAMPLE,
    **CHANGE,
)
def set_connection(call: ApiRequest, connection: str) -> HttpResponse:
    """Operators do this. Members that are left out get their defaults, but the client secret stays."""
    return _update(call, connection_at(call, connection), call.body)


@operation(
    id="patchConnection",
    summary="Patch a connection",
    body=patch.PATCH,
    media_types=patch.MEDIA_TYPES,
    answers={200: CONNECTION},
    example=[{"op": "replace", "path": "/sign_in", "value": "offered"}],
    **CHANGE,
)
def patch_connection(call: ApiRequest, connection: str) -> HttpResponse:
    """Operators do this, by JSON Patch (RFC 6902) with add, remove and replace.

    To set another client secret, replace /client_secret.
    """
    row = connection_at(call, connection)
    (document,) = connection_documents([row])
    before = {name: value for name, value in document.items() if name in MEMBERS}
    after = patch.apply_patch(before, call.body, fixed=(*READ_ONLY, "preset_answers"))
    validate(after, CONNECTION)
    return _update(call, row, after)


@sensitive_variables("sent", "secret")
def _update(call: ApiRequest, row: Connection, sent: dict[str, Any]) -> HttpResponse:
    secret = sent.get("client_secret")
    has_secret = row.has_client_secret if secret is None else bool(secret)
    updated = connection_actions.update_connection(
        connection=row,
        values=fields_of(sent, has_secret=has_secret),
        client_secret=secret,
        consumers=consumers_of(sent.get("consumers", [])),
        actor=call.caller.actor,
    )
    return _answer(updated)


@operation(
    id="deleteConnection",
    summary="Delete a connection",
    answers={204: "Deleted, with the identities of its people; their accounts and memberships stay."},
    **CHANGE | {"action": "delete"},
)
def delete_connection(call: ApiRequest, connection: str) -> HttpResponse:
    """Operators do this. Whoever has signed in by it is signed out."""
    connection_actions.delete_connection(connection=connection_at(call, connection), actor=call.caller.actor)
    return no_content()


@operation(
    id="listConnectionPresets",
    summary="List the products that have presets",
    answers={200: {"type": "array", "items": PRESET}},
    refusals=(403,),
    **READ,
)
def list_presets(call: ApiRequest) -> HttpResponse:
    """Operators do this. What each product asks to look up, and what follows from the answers."""
    require_operator(call)
    names = ("asks", "examples", "issuer", "scopes", "verified_claim", "groups_claim", "domain_claim", "where")
    return json_response(
        [
            {"preset": preset.value, "name": preset.label} | {name: getattr(PRESETS[preset], name) for name in names}
            for preset in PresetName
        ]
    )
