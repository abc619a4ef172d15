"""What the answers to login, consent and logout requests have in common (/admin/oauth2/auth/requests)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from authority.authorization import challenges
from authority.authorization.challenges import Kind
from authority.models import Challenge
from clients.claim_sources import ROLES
from clients.documents import client_document
from clients.models import Api
from clients.schemas import CLIENT
from consumers import policy
from consumers.policy import MAX_CLAIMS, MAX_METADATA, RESERVED_CLAIMS
from consumers.rest.operations import ApiRequest
from core.rest import responses
from core.rest.errors import AccessDenied, InvalidRequest, NotFound
from core.rest.schemas import Schema

# Each sign-in asks four times, and a login serves all the people of an API with one token.
PER_TOKEN = 5_000
ABOUT: dict[str, Any] = {"tag": "Logins", "model": "authority.challenge", "shows_state": False, "most": PER_TOKEN}
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
OBJECT = {"type": "object"}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
MAX_REMEMBER = 10 * 365 * 24 * 3600  # seconds
REMEMBER: dict[str, Schema] = {
    "remember": {"type": ["boolean", "null"]},
    "remember_for": {
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": MAX_REMEMBER,
        "description": "In seconds.",
    },
}
CONTEXT = {"description": "Any JSON, which comes back in the consent request and is shown to nobody else."}
SESSION: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Claims for tokens: those of access_token stand in `ext`, and in introspection too; those of "
    "id_token in the ID token and in userinfo.",
    "properties": {
        "access_token": {"type": ["object", "null"]},
        "id_token": {"type": ["object", "null"]},
    },
    "additionalProperties": False,
}
REDIRECT: dict[str, Any] = {
    "title": "OAuth2RedirectTo",
    "type": "object",
    "required": ["redirect_to"],
    "properties": {"redirect_to": TEXT | {"description": "Send the person’s browser there."}},
}
CLIENT_OF_REQUEST: Schema = CLIENT
OIDC_CONTEXT: dict[str, Any] = {
    "title": "OAuth2OpenIDConnectContext",
    "type": "object",
    "properties": {
        "acr_values": TEXTS,
        "display": TEXT,
        "id_token_hint_claims": OBJECT,
        "login_hint": TEXT,
        "ui_locales": TEXTS,
    },
}
# What login and consent requests say alike.
REQUEST: dict[str, Schema] = {
    "challenge": TEXT,
    "requested_scope": TEXTS,
    "requested_access_token_audience": TEXTS,
    "skip": {"type": "boolean"},
    "subject": TEXT,
    "oidc_context": OIDC_CONTEXT,
    "client": CLIENT_OF_REQUEST,
    "request_url": TEXT,
}
REJECTION: dict[str, Any] = {
    "title": "RejectOAuth2Request",
    "type": "object",
    "properties": {
        "error": {"type": ["string", "null"], "maxLength": 100, "default": "request_denied"},
        "error_description": {"type": ["string", "null"], "maxLength": 500},
        "error_hint": {"type": ["string", "null"], "maxLength": 500, "description": "Follows the description."},
        "error_debug": {"type": ["string", "null"], "description": "Goes nowhere."},
        "status_code": {"type": ["integer", "null"], "description": "Has no effect: the error goes in a redirect."},
    },
    "additionalProperties": False,
}
DENIED = "The person, or the login, denied the request."
# RFC 6749 section 4.1.2.1: what `error` and `error_description` may hold.
ERROR = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]+")
NOT_IN_DESCRIPTION = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
REPLACEMENTS = {'"': "'", "\\": "/", "\n": " ", "\r": " ", "\t": " "}


def named_by(kind: Kind) -> dict[str, Schema]:
    """Return the parameters that name a request of this kind."""
    name = f"{kind.value}_challenge"
    return {
        name: TEXT | {"description": "The challenge that the browser brought."},
        "challenge": TEXT | {"description": f"The same as {name}."},
    }


def find(call: ApiRequest, kind: Kind) -> Challenge:
    """Return the request that the call names, which may be answered. Raises Refusal.

    Who answers it can sign in as anybody, whatever the client: so the token reaches every workspace.
    """
    call.require_operator()
    if call.caller.consumer_id is not None:
        raise AccessDenied("This token reaches one workspace alone. Create one that reaches all.")
    name = f"{kind.value}_challenge"
    sent = {call.query[each] for each in (name, "challenge") if each in call.query}
    if len(sent) != 1:
        raise InvalidRequest(f"Name the request once: “?{name}=…”.", field=name)
    found = challenges.find(kind, sent.pop())
    if found is None:
        raise NotFound
    return found


def challenge_of(call: ApiRequest, kind: Kind) -> str:
    return str(call.query.get(f"{kind.value}_challenge") or call.query["challenge"])


def request_document(call: ApiRequest, row: Challenge) -> dict[str, Any]:
    """Return what login and consent requests say alike."""
    asked = challenges.request_of(row)
    assert row.client is not None
    document = {name: asked[name] for name in REQUEST if name in asked}
    return document | {"challenge": challenge_of(call, Kind(row.kind)), "client": client_document(row.client)}


def answer(row: Challenge, **members: Any) -> HttpResponse:
    """Save the answer and say where the browser goes on, or that it was answered before."""
    verifier = challenges.answer(row, **members)
    if verifier is None:
        return handled(row)
    return responses.document({"redirect_to": challenges.return_url(row, verifier)})


def handled(row: Challenge) -> HttpResponse:
    """Answer 410 with the address at which the request begins again, as Ory does."""
    return responses.document({"redirect_to": challenges.request_of(row)["request_url"]}, 410)


def rejection(sent: Mapping[str, Any]) -> dict[str, str]:
    """Return the error that goes to the client. Raises InvalidRequest."""
    error = sent.get("error") or "request_denied"
    if not ERROR.fullmatch(error):
        raise InvalidRequest('Use printable ASCII without “"” and “\\” (RFC 6749 section 4.1.2.1).', field="error")
    told = " ".join(filter(None, (sent.get("error_description"), sent.get("error_hint")))) or DENIED
    return {"error": error, "error_description": NOT_IN_DESCRIPTION.sub(_replacement, told)}


def _replacement(found: re.Match[str]) -> str:
    return REPLACEMENTS.get(found[0], "?")


def remembered(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {"remember": bool(sent.get("remember")), "remember_for": sent.get("remember_for") or 0}


def context(sent: Mapping[str, Any]) -> Any:
    """Return the context. Raises InvalidRequest for one that is too large."""
    value = sent.get("context")
    if len(json.dumps(value)) > MAX_METADATA:
        raise InvalidRequest(f"Shorten it to {MAX_METADATA:,} bytes.", field="context")
    return value


def session(sent: Mapping[str, Any], api: Api) -> dict[str, Any] | None:
    """Return the claims for tokens, None where there are none. Raises Refusal."""
    given = sent.get("session")
    if given is None:
        return None
    claims = {name: given.get(name) or {} for name in ("access_token", "id_token")}
    for name, value in claims.items():
        policy.json_object(value, f"session.{name}", MAX_CLAIMS)
    if taken := sorted(RESERVED_CLAIMS & claims["id_token"].keys()):
        raise InvalidRequest(f"Rename {', '.join(taken)}: we set such claims ourselves.", field="session.id_token")
    _require_roles_of(api, claims["access_token"])
    return claims


def _require_roles_of(api: Api, claims: Mapping[str, Any]) -> None:
    """Refuse roles that the API does not define, where it defines roles. Raises InvalidRequest."""
    defined = set(api.roles.values_list("value", flat=True)) if ROLES in claims else set()
    if not defined:
        return
    roles = claims[ROLES]
    if not isinstance(roles, list) or not all(isinstance(each, str) for each in roles) or not set(roles) <= defined:
        raise InvalidRequest(
            f"Name roles of the API {api}, as a list: {', '.join(sorted(defined))}.", field="session.access_token.roles"
        )
