"""Test tokens (/admin/clients/{client_id}/test-tokens)."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from authority.models import TrialToken
from authority.tokens import test_tokens
from authority.tokens.test_tokens import Wanted
from clients.api.lookups import find
from clients.vocabulary import GrantType
from consumers.rest.operations import Call, answer, nothing, operation
from core.rest.errors import NotFound

ABOUT: dict[str, Any] = {"tag": "Tokens", "model": "clients.client"}
CHANGE = ABOUT | {"scope": "tokens:write", "action": "change", "refusals": (404, 409)}
TEXT = {"type": "string"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT, "maxItems": 100}
TEST_TOKEN: dict[str, Any] = {
    "title": "TestToken",
    "type": "object",
    "properties": {
        "jti": TEXT,
        "grant_type": TEXT,
        "scope": TEXT,
        "audience": TEXTS,
        "user_id": TEXT,
        "reason": TEXT,
        "created_by": TEXT,
        "created_at": TEXT | {"format": "date-time"},
        "expires_at": TEXT | {"format": "date-time"},
        "access_token": TEXT | {"description": "In the answer that made it alone."},
    },
}
WANTED: dict[str, Any] = {
    "title": "NewTestToken",
    "type": "object",
    "required": ["scope", "reason"],
    "properties": {
        "scope": TEXT | {"description": "Of those that the client may have, values parted by spaces."},
        "reason": TEXT
        | {"maxLength": 200, "description": "Why it is made; it stands in the list and in the activity."},
        "expires_in": {
            "type": "integer",
            "minimum": 60,
            "maximum": 2**31 - 1,
            "default": 600,
            "description": "Seconds.",
        },
        "grant_type": TEXT
        | {"enum": [shape.value for shape in test_tokens.SHAPES], "description": "Which shape it has."},
        "audience": TEXTS,
        "user_id": TEXT | {"maxLength": 200, "description": "Whom it speaks for."},
        "roles": TEXTS,
        "claims": {"type": "object", "description": "Further claims, of those that the operator allows."},
    },
    "additionalProperties": False,
}


def _document(token: TrialToken, text: str | None = None) -> dict[str, Any]:
    shown = {
        "jti": token.jti,
        "grant_type": token.grant_type,
        "scope": " ".join(token.scopes),
        "audience": token.audience,
        "user_id": token.user_id,
        "reason": token.reason,
        "created_by": token.created_by_label,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }
    return shown if text is None else shown | {"access_token": text}


@operation(
    id="listTestTokens",
    summary="List test tokens",
    scope="tokens:read",
    answers={200: {"type": "array", "items": TEST_TOKEN}},
    refusals=(404,),
    **ABOUT,
)
def list_test_tokens(call: Call, client_id: str) -> HttpResponse:
    """Those of the client that work now, with who made them and why."""
    return answer([_document(token) for token in find(call, client_id).trial_tokens.live()])


@operation(
    id="makeTestToken",
    summary="Make a test token",
    body=WANTED,
    answers={201: TEST_TOKEN},
    example={"scope": "shipments:read", "reason": "Try the new endpoint", "expires_in": 600},
    **CHANGE,
)
@sensitive_variables("text")
def make_test_token(call: Call, client_id: str) -> HttpResponse:
    """For APIs whose operator allows it. The token says that it is a test token (`token_use`)."""
    client = find(call, client_id)
    call.require_writable(client.consumer)
    sent = call.body
    wanted = Wanted(
        scopes=tuple(sent["scope"].split()),
        expires_in=sent.get("expires_in", 600),
        reason=sent["reason"],
        grant_type=sent.get("grant_type", GrantType.CLIENT_CREDENTIALS.value),
        audience=tuple(sent.get("audience", ())),
        user_id=sent.get("user_id", ""),
        roles=tuple(sent.get("roles", ())),
        claims=sent.get("claims", {}),
    )
    token, text = test_tokens.make(client=client, wanted=wanted, actor=call.caller.actor)
    return answer(_document(token, text), 201)


@operation(id="revokeTestToken", summary="Revoke a test token", answers={204: "It has ended."}, **CHANGE)
def revoke_test_token(call: Call, client_id: str, jti: str) -> HttpResponse:
    """Introspection says so at once."""
    client = find(call, client_id)
    call.require_writable(client.consumer)
    token = client.trial_tokens.filter(jti=jti).first()
    if token is None:
        raise NotFound
    test_tokens.revoke(token=token, actor=call.caller.actor)
    return nothing()
