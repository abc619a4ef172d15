"""Test tokens (/admin/clients/{client_id}/test-tokens)."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from authority.models import TestToken
from authority.tokens import test_tokens
from authority.tokens.test_tokens import TestTokenRequest
from clients.api.lookups import client_at
from clients.vocabulary import GrantType
from consumers.models import Consumer
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import numbers
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
        "access_token": TEXT | {"description": "Only in the response that created it."},
    },
}
WANTED: dict[str, Any] = {
    "title": "NewTestToken",
    "type": "object",
    "required": ["scope", "reason"],
    "properties": {
        "scope": TEXT | {"description": "Scopes that the client may have, separated by spaces."},
        "reason": TEXT
        | {
            "maxLength": test_tokens.MAX_REASON,
            "description": "What it is for; shown in the list and in the activity.",
        },
        "expires_in": {
            "type": "integer",
            "minimum": test_tokens.MIN_LIFETIME,
            "maximum": numbers(Consumer, "test_token_lifetime")[1],
            "default": 600,
            "description": "Seconds.",
        },
        "grant_type": TEXT
        | {"enum": [shape.value for shape in test_tokens.GRANT_TYPES], "description": "Which grant it is modelled on."},
        "audience": TEXTS,
        "user_id": TEXT | {"maxLength": test_tokens.MAX_USER_ID, "description": "Its subject."},
        "roles": TEXTS,
        "claims": {"type": "object", "description": "Additional claims, of those that the operator allows."},
    },
    "additionalProperties": False,
}


def _document(token: TestToken) -> dict[str, Any]:
    return {
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


@operation(
    id="listTestTokens",
    summary="List test tokens",
    scope="tokens:read",
    answers={200: {"type": "array", "items": TEST_TOKEN}},
    refusals=(404,),
    **ABOUT,
)
def list_test_tokens(call: ApiRequest, client_id: str) -> HttpResponse:
    """Those of the client that work now, with who made them and why."""
    return json_response([_document(token) for token in client_at(call, client_id).test_tokens.live()])


@operation(
    id="createTestToken",
    summary="Create a test token",
    body=WANTED,
    answers={201: TEST_TOKEN},
    example={"scope": "shipments:read", "reason": "Test the new endpoint", "expires_in": 600},
    **CHANGE,
)
@sensitive_variables("text")
def make_test_token(call: ApiRequest, client_id: str) -> HttpResponse:
    """For APIs whose operator allows it. The token says that it is a test token (`token_use`)."""
    client = client_at(call, client_id)
    call.require_writable(client.consumer)
    sent = call.body
    requested = TestTokenRequest(
        scopes=tuple(sent["scope"].split()),
        expires_in=sent.get("expires_in", 600),
        reason=sent["reason"],
        grant_type=sent.get("grant_type", GrantType.CLIENT_CREDENTIALS.value),
        audience=tuple(sent.get("audience", ())),
        user_id=sent.get("user_id", ""),
        roles=tuple(sent.get("roles", ())),
        claims=sent.get("claims", {}),
    )
    token, text = test_tokens.create(client=client, requested=requested, actor=call.caller.actor)
    return json_response(
        _document(token),
        201,
        {"Location": f"/admin/clients/{client_id}/test-tokens/{token.jti}"},
        once={"access_token": text},
    )


@operation(
    id="getTestToken",
    summary="Read a test token",
    scope="tokens:read",
    answers={200: TEST_TOKEN},
    refusals=(404,),
    **ABOUT,
)
def get_test_token(call: ApiRequest, client_id: str, jti: str) -> HttpResponse:
    """Without its value, which is not stored."""
    return json_response(_document(_find_token(call, client_id, jti)))


@operation(
    id="revokeTestToken",
    summary="Revoke a test token",
    answers={204: "Revoked."},
    **CHANGE | {"refusals": (404, 409, 412)},
)
def revoke_test_token(call: ApiRequest, client_id: str, jti: str) -> HttpResponse:
    """Introspection says so at once."""
    test_tokens.revoke(token=_find_token(call, client_id, jti), actor=call.caller.actor)
    return no_content()


def _find_token(call: ApiRequest, client_id: str, jti: str) -> TestToken:
    client = client_at(call, client_id)
    call.require_writable(client.consumer)
    token: TestToken | None = call.locked(client.test_tokens.filter(jti=jti)).first()
    if token is None:
        raise NotFound
    return token
