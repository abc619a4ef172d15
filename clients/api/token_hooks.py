"""The token hook of an API (/admin/apis/{api_id}/token-hook)."""

from typing import Any

from django.http import HttpResponse

from clients.actions import token_hooks as hook_actions
from clients.api.apis import find_api
from clients.models import HookFailure, TokenHook
from clients.onboarding.token_hooks import try_hook
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.limits import length_schema, number_schema
from core.rest.errors import NotFound

ABOUT: dict[str, Any] = {"tag": "Roles", "model": "clients.api"}
CHANGE = ABOUT | {"scope": "apis:write", "action": "change"}
HOOK: dict[str, Any] = {
    "title": "TokenHook",
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": length_schema(TokenHook, "url") | {"type": "string", "description": "https, on a public domain."},
        "timeout": number_schema(TokenHook, "timeout") | {"type": "integer", "description": "Milliseconds."},
        "failure": {
            "type": "string",
            "enum": list(HookFailure.values),
            "description": "Whether a token is issued without the hook's claims when it fails, or refused.",
        },
        "cache_seconds": number_schema(TokenHook, "cache_seconds")
        | {"type": "integer", "description": "For how long an answer is kept for the same question."},
    },
    "additionalProperties": False,
}

TEST: dict[str, Any] = {
    "title": "TokenHookTest",
    "type": "object",
    "properties": {
        "ok": {"type": "boolean"},
        "detail": {"type": "string", "description": "What is wrong, or how long it took."},
        "milliseconds": {"type": "integer"},
        "claims": {"type": "object", "description": "The claims that it would add, by token."},
    },
}


def hook_at(call: ApiRequest, api_id: str) -> TokenHook:
    """Return the hook of the API, for operators. Raises AccessDenied and NotFound."""
    hook = TokenHook.objects.filter(api=find_api(call, api_id)).first()
    if hook is None:
        raise NotFound
    return hook


def _document(hook: TokenHook) -> dict[str, Any]:
    return {name: getattr(hook, name) for name in HOOK["properties"]}


@operation(
    id="getTokenHook",
    summary="Read the token hook of an API",
    scope="apis:read",
    answers={200: HOOK},
    refusals=(403, 404),
    **ABOUT,
)
def get_hook(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this."""
    return json_response(_document(hook_at(call, api_id)))


@operation(
    id="setTokenHook",
    summary="Set the token hook of an API",
    body=HOOK,
    answers={200: HOOK},
    example={"url": "https://hooks.example.com/claims", "failure": "closed"},
    refusals=(404, 409, 412),
    **CHANGE,
)
def set_hook(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this. It is asked for claims before a token for the API is issued, in the shape of Ory Hydra's."""
    return json_response(
        _document(hook_actions.set_token_hook(api=find_api(call, api_id), **call.body, actor=call.caller.actor))
    )


@operation(
    id="deleteTokenHook",
    summary="Remove the token hook of an API",
    answers={204: "Nobody is asked any more."},
    refusals=(404, 409, 412),
    **CHANGE,
)
def delete_hook(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this."""
    hook_actions.delete_token_hook(api=hook_at(call, api_id).api, actor=call.caller.actor)
    return no_content()


@operation(
    id="testTokenHook",
    summary="Send a test request to a token hook",
    answers={200: TEST},
    refusals=(404,),
    **CHANGE,
)
def test_hook(call: ApiRequest, api_id: str) -> HttpResponse:
    """Operators do this. The question is about a client and a person that there are not."""
    test = try_hook(hook_at(call, api_id))
    told = {"ok": test.is_good, "detail": test.text, "milliseconds": test.milliseconds, "claims": test.claims}
    return json_response(told)
