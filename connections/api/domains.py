"""The domains of a connection (/admin/connections/{connection}/domains)."""

from typing import Any

from django.http import HttpResponse

from connections import dns_records, policy
from connections.actions import domains as domain_actions
from connections.api.connections import CHANGE, READ
from connections.api.lookups import connection_at
from connections.documents import DOMAIN as NAME
from connections.models import Domain
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema
from core.rest.errors import NotFound

TEXT: dict[str, Any] = {"type": "string"}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
DOMAIN: dict[str, Any] = {
    "title": "ConnectionDomain",
    "type": "object",
    "required": ["domain"],
    "properties": {
        "domain": NAME,
        "txt_record": {
            "type": "object",
            "properties": {"name": TEXT, "value": TEXT},
            "description": "The DNS record that proves the domain, for …/check.",
        },
        "verified_at": MOMENT | {"description": "null: it leads people to the provider, which is not trusted for it."},
        "verified_by": TEXT | {"description": "On what ground: the DNS record, or an operator’s word."},
        "checked_at": MOMENT,
        "created_at": MOMENT,
    },
    "additionalProperties": False,
}
GROUND: dict[str, Any] = {
    "title": "DomainGround",
    "type": "object",
    "required": ["by"],
    "properties": {
        "by": TEXT
        | length_schema(Domain, "verified_by")
        | {"minLength": 1, "description": "How you know whose domain it is, such as “Contract of 3 March”."}
    },
    "additionalProperties": False,
}


def _document(domain: Domain) -> dict[str, Any]:
    name, value = dns_records.expected(domain)
    shown = ("verified_at", "verified_by", "checked_at", "created_at")
    return {"domain": domain.name, "txt_record": {"name": name, "value": value}} | {
        each: getattr(domain, each) for each in shown
    }


def _find(call: ApiRequest, connection: str, name: str) -> Domain:
    # The actions lock the connection first, then the domain.
    domain = connection_at(call, connection).domains.filter(name=name.lower()).first()
    if domain is None:
        raise NotFound
    return domain


@operation(
    id="listConnectionDomains",
    summary="List the domains of a connection",
    answers={200: {"type": "array", "items": DOMAIN}},
    refusals=(403, 404),
    **READ,
)
def list_domains(call: ApiRequest, connection: str) -> HttpResponse:
    """Operators do this."""
    return json_response([_document(domain) for domain in connection_at(call, connection).domains.all()])


@operation(
    id="addConnectionDomain",
    summary="Add a domain to a connection",
    body=DOMAIN,
    answers={201: DOMAIN},
    example={"domain": "acme.example"},
    **CHANGE | {"refusals": (403, 404, 409)},
)
def add_domain(call: ApiRequest, connection: str) -> HttpResponse:
    """Operators do this. Verify it next: until then nobody is signed in by an address of it."""
    found = connection_at(call, connection)
    domain = domain_actions.add_domain(connection=found, name=call.body["domain"], actor=call.caller.actor)
    location = f"/admin/connections/{found.slug}/domains/{domain.name}"
    return json_response(_document(domain), 201, {"Location": location})


@operation(
    id="getConnectionDomain",
    summary="Read a domain of a connection",
    answers={200: DOMAIN},
    refusals=(403, 404),
    **READ,
)
def get_domain(call: ApiRequest, connection: str, domain: str) -> HttpResponse:
    """Operators do this."""
    return json_response(_document(_find(call, connection, domain)))


@operation(
    id="verifyConnectionDomain",
    summary="Vouch for a domain of a connection",
    body=GROUND,
    answers={200: DOMAIN},
    example={"by": "Contract of 3 March"},
    **CHANGE | {"refusals": (403, 404, 409)},
)
def verify_domain(call: ApiRequest, connection: str, domain: str) -> HttpResponse:
    """Operators do this, by their word. From then on the provider opens the account of whoever has such an address."""
    found = _find(call, connection, domain)
    policy.ground(call.body["by"])
    verified = domain_actions.verify_domain(domain=found, by=call.body["by"].strip(), actor=call.caller.actor)
    return json_response(_document(verified))


@operation(
    id="checkConnectionDomain",
    summary="Check the DNS record of a domain",
    answers={200: DOMAIN},
    **CHANGE | {"refusals": (403, 404, 409)},
)
def check_domain(call: ApiRequest, connection: str, domain: str) -> HttpResponse:
    """Operators do this, once the organisation has published its TXT record. It verifies the domain."""
    verified = domain_actions.check_domain(domain=_find(call, connection, domain), actor=call.caller.actor)
    return json_response(_document(verified))


@operation(
    id="removeConnectionDomain",
    summary="Remove a domain from a connection",
    answers={204: "Removed. Accounts that are linked stay so."},
    **CHANGE,
)
def remove_domain(call: ApiRequest, connection: str, domain: str) -> HttpResponse:
    """Operators do this. Refused while a joining rule, or the requirement to sign in by the connection, needs it."""
    domain_actions.remove_domain(domain=_find(call, connection, domain), actor=call.caller.actor)
    return no_content()
