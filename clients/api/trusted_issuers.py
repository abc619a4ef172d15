"""Whom the portal trusts, as operators decide it: platforms, publishers of software, hosts of metadata documents."""

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse

from clients.actions import registration as registration_actions
from clients.actions import trust as trust_actions
from clients.api.registration import LIMITS
from clients.federation.platforms import PlatformName
from clients.models import DocumentHost, SoftwareIssuer, TrustedIssuer
from consumers.models import Consumer
from consumers.rest.lookups import named, number
from consumers.rest.operations import Call, answer, nothing, operation
from core.rest.errors import InvalidRequest, NotFound

TEXT = {"type": "string"}
MAY_FAIL = (403, 404, 409)
KEYS: dict[str, Any] = {
    "jwks_uri": TEXT | {"maxLength": 500, "description": "Where its public keys are read."},
    "jwks": {"type": ["object", "null"], "description": "The public keys themselves, in place of their address."},
}
WHOSE = {"description": "Short name or ID of the consumer."}
ISSUER: dict[str, Any] = {
    "title": "TrustedIssuer",
    "type": "object",
    "required": ["name", "platform", "issuer"],
    "properties": KEYS
    | {
        "id": {"type": "integer"},
        "name": TEXT | {"minLength": 1, "maxLength": 100, "description": "As managers read it."},
        "platform": TEXT | {"enum": PlatformName.values, "description": "Which claims its tokens have. It stays."},
        "issuer": TEXT | {"maxLength": 300, "description": "What its tokens carry as iss, letter by letter. It stays."},
        "consumer": {"type": ["string", "null"], "description": "Whose it is; null lets every consumer make rules."},
        "disabled": {"type": "boolean", "description": "POST to …/disable and …/enable change it."},
        "created_at": TEXT | {"format": "date-time"},
    },
    "additionalProperties": False,
}
PUBLISHER: dict[str, Any] = {
    "title": "SoftwareIssuer",
    "type": "object",
    "required": ["issuer"],
    "properties": KEYS
    | {
        "id": {"type": "integer"},
        "issuer": TEXT | {"minLength": 1, "maxLength": 500, "description": "The iss of its statements."},
        "required": {"type": "boolean", "description": "Whether clients register only with such a statement."},
    },
    "additionalProperties": False,
}
HOST: dict[str, Any] = {
    "title": "DocumentHost",
    "type": "object",
    "required": ["host", "consumer"],
    "properties": LIMITS
    | {
        "id": {"type": "integer"},
        "host": TEXT | {"minLength": 1, "maxLength": 253, "description": "In small letters, without a scheme."},
        "consumer": TEXT | WHOSE,
    },
    "additionalProperties": False,
}
GITHUB = {
    "name": "GitHub Actions",
    "platform": "github",
    "issuer": "https://token.actions.githubusercontent.com",
}


def _consumer_named(name: str) -> Consumer:
    found = Consumer.objects.filter(named(name)).first()
    if found is None:
        raise InvalidRequest("There is no consumer of that name.", field="consumer")
    return found


# -- Platforms --------------------------------------------------------------------------------------------------------

OF_ISSUER: dict[str, Any] = {"tag": "Secrets", "model": "clients.trustedissuer", "refusals": MAY_FAIL}
CHANGE_ISSUER = OF_ISSUER | {"scope": "clients:write", "action": "change", "answers": {200: ISSUER}}


def _issuer_document(issuer: TrustedIssuer) -> dict[str, Any]:
    return {name: getattr(issuer, name) for name in ("id", "name", "platform", "issuer", "jwks_uri", "jwks")} | {
        "consumer": issuer.consumer.slug if issuer.consumer else None,
        "disabled": issuer.disabled_at is not None,
        "created_at": issuer.created_at,
    }


def _found_issuer(call: Call, issuer_id: str) -> TrustedIssuer:
    call.require_operator()
    issuer = TrustedIssuer.objects.select_related("consumer").filter(pk=number(issuer_id)).first()
    if issuer is None:
        raise NotFound
    return issuer


def _wanted_issuer(sent: dict[str, Any]) -> dict[str, Any]:
    values = {name: sent[name] for name in ("name", "platform", "issuer")}
    values |= {"jwks_uri": sent.get("jwks_uri", ""), "jwks": sent.get("jwks") or None}
    return values | {"consumer": _consumer_named(sent["consumer"]) if sent.get("consumer") else None}


@operation(
    id="listTrustedIssuers",
    summary="List the platforms that are trusted",
    tag="Secrets",
    model="clients.trustedissuer",
    scope="clients:read",
    answers={200: {"type": "array", "items": ISSUER}},
)
def list_issuers(call: Call) -> HttpResponse:
    """Operators see all; others those for which clients of their consumers may have rules."""
    found = TrustedIssuer.objects.select_related("consumer").order_by("pk")
    if not call.is_operator or call.caller.consumer_id is not None:
        found = found.filter(Q(consumer=None) | Q(consumer__in=call.readable()), disabled_at=None)
    return answer([_issuer_document(issuer) for issuer in found])


@operation(
    id="allowTrustedIssuer",
    summary="Trust a platform",
    body=ISSUER,
    example=GITHUB,
    **CHANGE_ISSUER | {"action": "add", "answers": {201: ISSUER}},
)
def allow_issuer(call: Call) -> HttpResponse:
    """Operators do this. From then on managers may let its tokens be their clients."""
    call.require_operator()
    made = trust_actions.allow_issuer(issuer=TrustedIssuer(**_wanted_issuer(call.body)), actor=call.caller.actor)
    return answer(_issuer_document(made), 201)


@operation(id="setTrustedIssuer", summary="Change a trusted platform", body=ISSUER, example=GITHUB, **CHANGE_ISSUER)
def set_issuer(call: Call, issuer_id: str) -> HttpResponse:
    """Operators do this. Issuer and platform stay, because rules were made for them."""
    issuer, sent = _found_issuer(call, issuer_id), _wanted_issuer(call.body)
    changed = [name for name, value in sent.items() if getattr(issuer, name) != value]
    for name in changed:
        setattr(issuer, name, sent[name])
    trust_actions.update_issuer(issuer=issuer, changed=changed, actor=call.caller.actor)
    return answer(_issuer_document(issuer))


@operation(id="disableTrustedIssuer", summary="Stop trusting a platform for now", **CHANGE_ISSUER)
def disable_issuer(call: Call, issuer_id: str) -> HttpResponse:
    """Operators do this. Every token of it is refused at once; rules stay, and work again when it is enabled."""
    trust_actions.disable_issuer(issuer=_found_issuer(call, issuer_id), actor=call.caller.actor)
    return answer(_issuer_document(_found_issuer(call, issuer_id)))


@operation(id="enableTrustedIssuer", summary="Trust a platform again", **CHANGE_ISSUER)
def enable_issuer(call: Call, issuer_id: str) -> HttpResponse:
    """Operators do this. Undoes disabling."""
    trust_actions.enable_issuer(issuer=_found_issuer(call, issuer_id), actor=call.caller.actor)
    return answer(_issuer_document(_found_issuer(call, issuer_id)))


@operation(
    id="removeTrustedIssuer",
    summary="Remove a platform that no rule is made for",
    **CHANGE_ISSUER | {"action": "delete", "answers": {204: "It is trusted no more."}},
)
def remove_issuer(call: Call, issuer_id: str) -> HttpResponse:
    """Operators do this."""
    trust_actions.remove_issuer(issuer=_found_issuer(call, issuer_id), actor=call.caller.actor)
    return nothing()


# -- Who describes clients that register themselves -------------------------------------------------------------------

type Source = DocumentHost | SoftwareIssuer


def _source_document(source: Source) -> dict[str, Any]:
    if isinstance(source, SoftwareIssuer):
        return {name: getattr(source, name) for name in PUBLISHER["properties"]}
    return {name: getattr(source, name) for name in ("id", "host", *LIMITS)} | {"consumer": source.consumer.slug}


def _filled(source: Source, sent: dict[str, Any]) -> Source:
    """Return the row as the body describes it; what is left out has its default."""
    if isinstance(source, SoftwareIssuer):
        source.issuer, source.required = sent["issuer"], sent.get("required", False)
        source.jwks_uri, source.jwks = sent.get("jwks_uri", ""), sent.get("jwks") or None
    else:
        source.host, source.consumer = sent["host"], _consumer_named(sent["consumer"])
        source.grant_types, source.scopes = sent.get("grant_types", []), sent.get("scopes", [])
        source.client_days = sent.get("client_days")
    return source


def _sources(model: type[DocumentHost] | type[SoftwareIssuer], schema: dict[str, Any], words: str, example: Any) -> Any:
    """Return the operations of a kind of source, by method: of the list, and of one."""
    about: dict[str, Any] = {"tag": "Registration", "model": f"clients.{model.__name__.lower()}"}
    change = about | {"scope": "clients:write", "refusals": MAY_FAIL}
    name = model.__name__

    def one(call: Call, source_id: str) -> Source:
        call.require_operator()
        found: Source | None = model.objects.filter(pk=number(source_id)).first()
        if found is None:
            raise NotFound
        return found

    def listed(call: Call) -> HttpResponse:
        """Operators do this."""
        call.require_operator()
        return answer([_source_document(source) for source in model.objects.order_by("pk")])

    def added(call: Call) -> HttpResponse:
        """Operators do this. From then on clients may register by it."""
        call.require_operator()
        source = _filled(model(), call.body)
        registration_actions.save_source(source=source, actor=call.caller.actor)
        return answer(_source_document(source), 201)

    def changed(call: Call, source_id: str) -> HttpResponse:
        """Operators do this. Members that are left out get their defaults."""
        with transaction.atomic():
            source = _filled(one(call, source_id), call.body)
            registration_actions.save_source(source=source, actor=call.caller.actor)
        return answer(_source_document(source))

    def removed(call: Call, source_id: str) -> HttpResponse:
        """Operators do this. Clients that registered by it stay."""
        registration_actions.delete_source(source=one(call, source_id), actor=call.caller.actor)
        return nothing()

    rows = {200: {"type": "array", "items": schema}}
    body = {"body": schema, "example": example}
    of_all = {
        "GET": operation(
            id=f"list{name}s", summary=f"List {words}s", answers=rows, scope="clients:read", refusals=(403,), **about
        )(listed),
        "POST": operation(
            id=f"add{name}", summary=f"Trust a {words}", action="add", answers={201: schema}, **body, **change
        )(added),
    }
    of_one = {
        "PUT": operation(
            id=f"set{name}", summary=f"Change a {words}", action="change", answers={200: schema}, **body, **change
        )(changed),
        "DELETE": operation(
            id=f"remove{name}",
            summary=f"Trust a {words} no more",
            action="delete",
            answers={204: "It is trusted no more."},
            **change,
        )(removed),
    }
    return of_all, of_one


ALL_PUBLISHERS, ONE_PUBLISHER = _sources(
    SoftwareIssuer,
    PUBLISHER,
    "software publisher",
    {"issuer": "https://publisher.example.com", "jwks_uri": "https://publisher.example.com/keys"},
)
ALL_HOSTS, ONE_HOST = _sources(
    DocumentHost, HOST, "metadata document host", {"host": "apps.example.com", "consumer": "sandbox"}
)
