"""Between a client's metadata and its document on the wire."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata, names
from clients.models import Client
from clients.schemas import CLIENT, NEUTRAL, SPREAD, TRUST, WRITABLE
from clients.vocabulary import LIFESPANS, GrantType
from core import durations
from core.rest import schemas

DEFAULT_GRANTS = (GrantType.AUTHORIZATION_CODE.value,)  # RFC 7591 section 2
OFFLINE = {"offline": "offline_access"}  # Ory knows the scope under both names


def document(client: Client, *, secret: str | None = None) -> dict[str, Any]:
    """Return the client as GET shows it: lists never null, and nothing that tells a secret but a new one."""
    metadata = ClientMetadata.of(client)
    shown: dict[str, Any] = {
        "client_id": client.client_id,
        "client_secret_expires_at": client.secrets.all_end_at(),
        "consumer": client.consumer.slug,
        "created_at": client.created,
        "updated_at": client.updated,
        "disabled": client.is_disabled,
        "last_used_at": client.last_used_at,
        "expires_at": client.expires_at,
        "claims": client.claims,
    }
    shown |= {name: neutral[0] for name, neutral in NEUTRAL.items()}
    shown |= writable(metadata)
    if secret is not None:
        shown["client_secret"] = secret
    return shown


def writable(metadata: ClientMetadata) -> dict[str, Any]:
    """Return what of the document a program may change, as the wire writes it."""
    found: dict[str, Any] = {name: getattr(metadata, name) for name in names() if name not in SPREAD}
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
    found["scope"] = " ".join(metadata.scope)
    found["userinfo_signed_response_alg"] = metadata.userinfo_signed_response_alg or "none"
    for name in ("jwks", "default_max_age"):
        if found[name] is None:
            del found[name]
    for name in LIFESPANS:
        seconds = metadata.lifespans.get(name)
        found[name] = durations.written(seconds) if seconds is not None else None
    return found | metadata.localized


def read(sent: dict[str, Any]) -> ClientMetadata:
    """Return the metadata that a whole document describes; what it leaves out has its default.

    Raises InvalidClientMetadata for whatever has no meaning here (RFC 7591 section 3.2.2), so that nobody relies on a
    promise that we do not keep. Null, empty and default values are none.
    """
    schemas.check(sent, CLIENT, InvalidClientMetadata)
    refuse_what_has_no_effect(sent)
    values: dict[str, Any] = {}
    for name in names():
        if name in SPREAD or sent.get(name) in (None, ""):
            continue
        values[name] = tuple(sent[name]) if isinstance(sent[name], list) else sent[name]
    if "scope" in values:
        values["scope"] = tuple(dict.fromkeys(OFFLINE.get(value, value) for value in values["scope"].split()))
    if values.get("userinfo_signed_response_alg") == "none":
        del values["userinfo_signed_response_alg"]
    if values.get("jwks") in ({}, {"keys": []}):
        del values["jwks"]
    values["grant_types"] = values.get("grant_types") or DEFAULT_GRANTS
    if values.get("response_types") in (None, (), ("code",)):  # the default fits every grant
        values["response_types"] = ("code",) if GrantType.AUTHORIZATION_CODE in values["grant_types"] else ()
    values["lifespans"] = read_lifespans(sent)
    values["localized"] = {name: value for name, value in sent.items() if "#" in name and value}
    return ClientMetadata(**values)


def read_lifespans(sent: dict[str, Any]) -> dict[str, int]:
    """Return the seconds of every lifetime that is set. Raises InvalidClientMetadata."""
    found = {}
    for name in LIFESPANS:
        if sent.get(name) in (None, ""):
            continue
        try:
            found[name] = durations.read(sent[name])
        except ValueError as problem:
            raise InvalidClientMetadata(f"{name}: {problem}.", field=name) from None
    return found


# What has a door of its own: sent otherwise than it is, it would be swallowed.
ELSEWHERE = {
    "disabled": "POST to …/disable or …/enable changes it",
    "claims": "operators PUT them to …/claims",
    "expires_at": "the rule by which the client registered itself sets it",
    "client_secret_expires_at": "give each secret its end below …/secrets",
}


def refuse_what_is_set_elsewhere(sent: dict[str, Any], client: Client | None = None) -> None:
    """Refuse members that the request would change and cannot; null and what GET shows are fine."""
    now: dict[str, Any] = {"disabled": False, "claims": {}, "expires_at": "", "client_secret_expires_at": 0}
    if client is not None:
        now |= json.loads(json.dumps({name: document(client)[name] for name in now}, cls=DjangoJSONEncoder))
    for name, how in ELSEWHERE.items():
        if sent.get(name) not in (None, "", now[name]):
            raise InvalidClientMetadata(f"{name} does not change here: {how}.", field=name)


def refuse_what_has_no_effect(sent: dict[str, Any]) -> None:
    for name, neutral in NEUTRAL.items():
        value = sent.get(name)
        if value is not None and value not in neutral:
            raise InvalidClientMetadata(f"{name} has no effect here. Leave it out.", field=name)


# -- Registration -----------------------------------------------------------------------------------------------------

# What a client may say of itself when it registers; whatever else it sends is ignored (RFC 7591 section 2).
UNDERSTOOD = frozenset(WRITABLE) - {*TRUST, "metadata", "description", "owner"} | frozenset(NEUTRAL)
NOT_THEIRS = ("metadata", "access_token_strategy", *TRUST)


def read_registration(sent: dict[str, Any], client: Client | None = None) -> ClientMetadata:
    """Return the metadata of a client that describes itself; what people decided about it stays.

    Raises InvalidClientMetadata, also for what only people decide.
    """
    for name in NOT_THEIRS:
        if sent.get(name) not in (None, "", {}, False) and sent[name] != _default_of(name):
            raise InvalidClientMetadata(f"A client cannot decide {name} itself. Leave it out.", field=name)
    understood = {name: value for name, value in sent.items() if name in UNDERSTOOD or "#" in name}
    metadata = read(understood)
    if client is None:
        return metadata
    kept = ClientMetadata.of(client)
    return metadata.but(**{name: getattr(kept, name) for name in ("metadata", "description", "owner", *NOT_THEIRS)})


def _default_of(name: str) -> Any:
    return getattr(ClientMetadata(), name)


def registration(client: Client) -> dict[str, Any]:
    """Return the client as RFC 7591 section 3.2.1 shows it: nothing that is empty, nothing of ours."""
    shown = writable(ClientMetadata.of(client))
    document = {name: value for name, value in shown.items() if name in UNDERSTOOD and value not in (None, "", [], {})}
    if not client.userinfo_signed_response_alg:  # left out it is plain JSON; “none” would be a JWT
        del document["userinfo_signed_response_alg"]
    document |= {"client_id": client.client_id, "client_id_issued_at": int(client.created.timestamp())}
    if client.expires_at is not None:
        document["client_expires_at"] = int(client.expires_at.timestamp())
    return document
