"""A connection as programs and files write it: one description for the REST API and CONNECTIONS_FILE."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.db.models import Q

from connections import policy
from connections.models import ClientAuthentication, Connection, Domain, JoiningRule, RuleKind, SignInMode
from connections.presets import PRESETS, PresetName
from consumers.models import Consumer, Role
from core.errors import Refusal
from core.limits import length_schema, number_schema
from core.rest.schemas import Schema

TEXT: dict[str, Any] = {"type": "string"}
MAX_CONSUMERS = 200
CLAIMS: dict[str, Schema] = {
    "name_claim": TEXT
    | length_schema(Connection, "name_claim")
    | {"minLength": 1, "description": "The claim of the person’s name."},
    "email_claim": TEXT
    | length_schema(Connection, "email_claim")
    | {"minLength": 1, "description": "The claim of the email address."},
    "verified_claim": TEXT
    | length_schema(Connection, "verified_claim")
    | {"description": "The claim that says whether the address is verified; “” where every address is."},
    "groups_claim": TEXT
    | length_schema(Connection, "groups_claim")
    | {"description": "The claim of the groups, or a path to it such as realm_access.roles; “” to read none."},
    "domain_claim": TEXT
    | length_schema(Connection, "domain_claim")
    | {"description": "A claim that must be one of its verified domains, where many customers share the issuer."},
}
MEMBERS: dict[str, Schema] = {
    "name": TEXT
    | length_schema(Connection, "name")
    | {"minLength": 1, "description": "As people read it when they sign in."},
    "slug": TEXT
    | length_schema(Connection, "slug")
    | {
        "minLength": 1,
        "description": "Short name, which is part of the redirect URI. It cannot be changed.",
    },
    "preset": TEXT | {"enum": PresetName.values, "description": "The product, from which scopes and claims follow."},
    "issuer": TEXT
    | length_schema(Connection, "issuer")
    | {"minLength": 1, "description": "The exact iss of its ID tokens. It cannot be changed."},
    "client_id": TEXT
    | length_schema(Connection, "client_id")
    | {"minLength": 1, "description": "What the provider calls this portal."},
    "client_authentication": TEXT
    | {"enum": ClientAuthentication.values, "description": "How the portal authenticates at the token endpoint."},
    "kept_claims": {
        "type": "array",
        "items": TEXT | length_schema(Connection, "kept_claims"),
        "maxItems": policy.MAX_KEPT_CLAIMS,
        "description": "Claims, or paths to them, that are kept of each sign-in for the tokens of APIs.",
    },
    "scopes": {
        "type": "array",
        "items": TEXT | length_schema(Connection, "scopes"),
        "maxItems": policy.MAX_SCOPES,
        "description": "What is asked for; openid among them.",
    },
    **CLAIMS,
    "sign_in": TEXT
    | {"enum": SignInMode.values, "description": "off, offered, or required of the people of its verified domains."},
    "consumers": {
        "type": "array",
        "items": TEXT,
        "maxItems": MAX_CONSUMERS,
        "description": "Short names of those whose people it is for; none for the whole portal.",
    },
    "for_operators": {"type": "boolean", "description": "Whether operators may sign in by it."},
    "operator_claim_value": TEXT
    | length_schema(Connection, "operator_claim_value")
    | {"description": "Who has this group becomes an operator, and is none without it."},
    "operator_group": {"type": ["string", "null"], "description": "The name of the group of rights that they get."},
    "max_age": number_schema(Connection, "max_age")
    | {
        "type": ["integer", "null"],
        "description": "How many seconds ago people may have signed in there; null for however long.",
    },
}
ANSWERS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": TEXT | {"maxLength": 200},
    "maxProperties": 5,
    "description": "What the product asks to look up, in place of the issuer: {“domain”: “acme.okta.com”}.",
}
DOMAIN: dict[str, Any] = TEXT | length_schema(Domain, "name") | {"minLength": 1, "description": "Such as acme.example."}
RULE: dict[str, Schema] = {
    "kind": TEXT | {"enum": RuleKind.values, "description": "By the domain of the address, or by a group."},
    "value": TEXT
    | length_schema(JoiningRule, "value")
    | {"minLength": 1, "description": "A verified domain of the connection, or a value of its groups."},
    "role": TEXT | {"enum": list(Role.values), "description": "What they become; a viewer by default."},
}
DEFAULTS: dict[str, Any] = {
    "preset": PresetName.ANY.value,
    "name_claim": "name",
    "email_claim": "email",
    "sign_in": SignInMode.OFF.value,
    "kept_claims": [],
    "for_operators": False,
    "operator_claim_value": "",
    "operator_group": None,
    "max_age": None,
}


def fields_of(sent: Mapping[str, Any], *, has_secret: bool) -> dict[str, Any]:
    """Return the row's fields; what was left out follows from the product, or is the default. Raises Refusal.

    The consumers are not among them.
    """
    method = ClientAuthentication.CLIENT_SECRET_BASIC if has_secret else ClientAuthentication.PRIVATE_KEY_JWT
    follows = _follows(sent) | {"client_authentication": method.value}
    fields = {name: sent.get(name, (DEFAULTS | follows).get(name)) for name in MEMBERS if name != "consumers"}
    return fields | {"operator_group": _group(fields["operator_group"])}


def _follows(sent: Mapping[str, Any]) -> dict[str, object]:
    """Return what follows from the product, and the issuer from what was looked up there."""
    preset, answers = sent.get("preset", PresetName.ANY), dict(sent.get("preset_answers", {}))
    product = PRESETS[preset]
    asked = ", ".join(product.asks) or "nothing"
    if unknown := sorted(answers.keys() - product.asks.keys()):
        raise Refusal(f"{unknown[0][:60]!a} is not asked for; {asked} is.", field="preset_answers")
    if "issuer" in sent and not answers:
        names = ("groups_claim", "verified_claim", "domain_claim")
        return {name: getattr(product, name) for name in names} | {"scopes": list(product.scopes)}
    if missing := sorted(product.asks.keys() - answers.keys()):
        hint = "" if missing == ["issuer"] else f", or preset_answers with {asked}"
        raise Refusal(f"Write its address{hint}.", field="issuer")
    try:
        found = policy.preset_values(preset, answers)
    except Refusal as refusal:
        raise Refusal(refusal.description, field="preset_answers") from None
    if sent.get("issuer", found["issuer"]) != found["issuer"]:
        raise Refusal(f"By preset_answers it is {found['issuer']}. Leave one of the two out.", field="issuer")
    return found


def _group(name: str | None) -> Group | None:
    if not name:
        return None
    group = Group.objects.filter(name=name).first()
    if group is None:
        raise Refusal("There is no group of rights with this name.", field="operator_group")
    return group


def consumers_of(names: Iterable[str]) -> list[Consumer]:
    """Return the consumers of these short names or IDs. Raises Refusal for one that does not exist."""
    wanted = set(names)
    found = list(Consumer.objects.filter(Q(slug__in=wanted) | Q(pk__in=filter(None, map(_uuid, wanted)))))
    known = {name for each in found for name in (each.slug, each.pk)}
    if unknown := sorted(name for name in wanted if name not in known and _uuid(name) not in known):
        raise Refusal(f"There is no consumer {unknown[0][:60]!a}.", field="consumers")
    return found


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
