"""Conversion between client metadata and the JSON documents of the APIs."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata, field_names
from clients.models import Client
from clients.schemas import CLIENT, MULTI_MEMBER_FIELDS, OPERATOR_ONLY, UNSUPPORTED, WRITABLE
from clients.vocabulary import LIFESPANS, GrantType
from core import durations
from core.rest import schemas

DEFAULT_GRANT_TYPES = (GrantType.AUTHORIZATION_CODE.value,)  # RFC 7591 section 2
SCOPE_ALIASES = {"offline": "offline_access"}  # Ory's API accepts both


def client_document(client: Client) -> dict[str, Any]:
    """Return the client as the management API represents it, without any secret."""
    metadata = ClientMetadata.of(client)
    document: dict[str, Any] = {
        "client_id": client.client_id,
        "client_secret_expires_at": client.secrets.client_secret_expires_at(),
        "consumer": client.consumer.slug,
        "created_at": client.created,
        "updated_at": client.updated,
        "disabled": client.is_disabled,
        "last_used_at": client.last_used_at,
        "expires_at": client.expires_at,
        "claims": client.claims,
    }
    document |= {name: accepted[0] for name, accepted in UNSUPPORTED.items()}
    return document | writable_members(metadata)


def writable_members(metadata: ClientMetadata) -> dict[str, Any]:
    """Return the members of the document that a program may change."""
    fields = {name: getattr(metadata, name) for name in field_names() if name not in MULTI_MEMBER_FIELDS}
    document: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()
    }
    document["scope"] = " ".join(metadata.scope)
    document["userinfo_signed_response_alg"] = metadata.userinfo_signed_response_alg or "none"
    for name in ("jwks", "default_max_age"):
        if document[name] is None:
            del document[name]
    for name in LIFESPANS:
        seconds = metadata.lifespans.get(name)
        document[name] = durations.format_duration(seconds) if seconds is not None else None
    return document | metadata.localized


def from_document(document: dict[str, Any]) -> ClientMetadata:
    """Return the metadata of a whole document; members that are left out, null or empty have their defaults.

    Raises InvalidClientMetadata for members that have no effect here (RFC 7591 section 3.2.2), rather than let a
    developer believe that they do.
    """
    schemas.validate(document, CLIENT, InvalidClientMetadata)
    check_unsupported(document)
    values: dict[str, Any] = {}
    for name in field_names():
        if name in MULTI_MEMBER_FIELDS or document.get(name) in (None, ""):
            continue
        values[name] = tuple(document[name]) if isinstance(document[name], list) else document[name]
    if "scope" in values:
        values["scope"] = tuple(dict.fromkeys(SCOPE_ALIASES.get(value, value) for value in values["scope"].split()))
    if values.get("userinfo_signed_response_alg") == "none":
        del values["userinfo_signed_response_alg"]
    if values.get("jwks") in ({}, {"keys": []}):
        del values["jwks"]
    values["grant_types"] = values.get("grant_types") or DEFAULT_GRANT_TYPES
    if values.get("response_types") in (None, (), ("code",)):  # the default fits all grant types
        values["response_types"] = ("code",) if GrantType.AUTHORIZATION_CODE in values["grant_types"] else ()
    values["lifespans"] = parse_lifespans(document)
    values["localized"] = {name: value for name, value in document.items() if "#" in name and value}
    return ClientMetadata(**values)


def parse_lifespans(document: dict[str, Any]) -> dict[str, int]:
    """Return the seconds of every lifetime that is set. Raises InvalidClientMetadata."""
    lifespans = {}
    for name in LIFESPANS:
        if document.get(name) in (None, ""):
            continue
        try:
            lifespans[name] = durations.parse_duration(document[name])
        except ValueError as problem:
            raise InvalidClientMetadata(f"{name}: {problem}.", field=name) from None
    return lifespans


# Members that operations of their own change; a changed one would be ignored, so it is refused.
SET_ELSEWHERE = {
    "disabled": "POST to …/disable or …/enable changes it",
    "claims": "operators PUT them to …/claims",
    "expires_at": "the rule under which the client was registered sets it",
    "client_secret_expires_at": "set when each secret expires below …/secrets",
}


def check_set_elsewhere(document: dict[str, Any], client: Client | None = None) -> None:
    """Refuse members of SET_ELSEWHERE, but for null and the values that GET returns. Raises InvalidClientMetadata."""
    current: dict[str, Any] = {"disabled": False, "claims": {}, "expires_at": "", "client_secret_expires_at": 0}
    if client is not None:
        represented = client_document(client)
        current |= json.loads(json.dumps({name: represented[name] for name in current}, cls=DjangoJSONEncoder))
    for name, how in SET_ELSEWHERE.items():
        if document.get(name) not in (None, "", current[name]):
            raise InvalidClientMetadata(f"{name} does not change here: {how}.", field=name)


def check_unsupported(document: dict[str, Any]) -> None:
    """Refuse values of UNSUPPORTED members that would have an effect elsewhere. Raises InvalidClientMetadata."""
    for name, accepted in UNSUPPORTED.items():
        value = document.get(name)
        if value is not None and value not in accepted:
            raise InvalidClientMetadata(f"{name} has no effect here. Leave it out.", field=name)


# -- Dynamic registration (RFC 7591) ----------------------------------------------------------------------------------

# The members that a client may send when it registers itself; others are ignored (RFC 7591 section 2).
REGISTRABLE = frozenset(WRITABLE) - {*OPERATOR_ONLY, "metadata", "description", "owner"} | frozenset(UNSUPPORTED)
PEOPLE_ONLY = ("metadata", "access_token_strategy", *OPERATOR_ONLY)


def from_registration_request(sent: dict[str, Any], registered: ClientMetadata | None = None) -> ClientMetadata:
    """Return the metadata of a registration or update request; fields that only people set stay as registered.

    Raises InvalidClientMetadata, also for members of PEOPLE_ONLY.
    """
    defaults = ClientMetadata()
    for name in PEOPLE_ONLY:
        if sent.get(name) not in (None, "", {}, False) and sent[name] != getattr(defaults, name):
            raise InvalidClientMetadata(f"A client cannot decide {name} itself. Leave it out.", field=name)
    metadata = from_document({name: value for name, value in sent.items() if name in REGISTRABLE or "#" in name})
    if registered is None:
        return metadata
    kept = ("metadata", "description", "owner", *PEOPLE_ONLY)
    return metadata.replace(**{name: getattr(registered, name) for name in kept})


def signable(name: str) -> bool:
    """Whether a software statement that signs this member binds it: it is one of the client's own."""
    return "#" in name or (name in REGISTRABLE and name not in UNSUPPORTED)


def registration_response(client: Client) -> dict[str, Any]:
    """Return the client information response (RFC 7591 section 3.2.1), without empty and unregistered members."""
    members = writable_members(ClientMetadata.of(client))
    document = {
        name: value for name, value in members.items() if name in REGISTRABLE and value not in (None, "", [], {})
    }
    if not client.userinfo_signed_response_alg:  # without the member it is plain JSON; “none” would mean a JWT
        del document["userinfo_signed_response_alg"]
    document |= {"client_id": client.client_id, "client_id_issued_at": int(client.created.timestamp())}
    statement = getattr(client, "self_registration", None)
    if statement is not None and statement.software_statement:
        document["software_statement"] = statement.software_statement
    if client.expires_at is not None:
        document["client_expires_at"] = int(client.expires_at.timestamp())
    return document
