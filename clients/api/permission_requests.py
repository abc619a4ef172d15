"""Requests of managers for permissions (/admin/permission-requests)."""

from typing import Any

from django.http import HttpResponse

from clients.actions import permission_requests as request_actions
from clients.api.workspace_requests import ASK, DECLINE, MOMENT, STATE, STATES, TEXT, read_end
from clients.models import PermissionRequest
from consumers.access import count_mails
from consumers.rest.lookups import consumer_for, find_by_uuid
from consumers.rest.operations import ApiRequest, json_response, operation
from core.limits import length_schema
from core.rest.paging import PAGING, paginate

ABOUT: dict[str, Any] = {"tag": "APIs", "model": "clients.permissionrequest"}
READ = ABOUT | {"scope": "apis:read"}
ASKING = ABOUT | {"scope": "consumers:write", "action": "change", "refusals": (404, 409)}
DECIDING = ABOUT | {"scope": "apis:write", "action": "change", "refusals": (404, 409)}
SAID = length_schema(PermissionRequest, "reason") | {"type": "string", "minLength": 1}
PERMISSION_REQUEST: dict[str, Any] = {
    "title": "PermissionRequest",
    "type": "object",
    "required": ["scope", "reason"],
    "properties": {
        "id": TEXT,
        "consumer": TEXT,
        "scope": TEXT | {"maxLength": 100},
        "reason": SAID,
        **dict.fromkeys(("created_by", "question", "answer", "decision", "decided_by"), TEXT),
        "state": {"type": "string", "enum": STATES},
        **dict.fromkeys(("created_at", "decided_at"), MOMENT),
        "expires_at": MOMENT | {"description": "When what was approved expires; null for good."},
    },
    "additionalProperties": False,
}
APPROVE: dict[str, Any] = {
    "title": "PermissionApproval",
    "type": "object",
    "properties": {"expires_at": MOMENT | {"description": "When the permission expires; null for good."}},
    "additionalProperties": False,
}
ANSWER: dict[str, Any] = {
    "title": "Answer",
    "type": "object",
    "required": ["answer"],
    "properties": {"answer": SAID},
    "additionalProperties": False,
}
ONE = {200: PERMISSION_REQUEST}


def _document(request: PermissionRequest) -> dict[str, Any]:
    names = ("reason", "question", "answer", "decision", "state", "created_at", "decided_at", "expires_at")
    return {
        "id": str(request.pk),
        "consumer": request.consumer.slug,
        "scope": request.scope.value,
        **{name: getattr(request, name) for name in names},
        "created_by": request.created_by_label,
        "decided_by": request.decided_by_label,
    }


@operation(
    id="listPermissionRequests",
    summary="List requests for permissions",
    query=PAGING | STATE,
    answers={200: {"type": "array", "items": PERMISSION_REQUEST}},
    **READ,
)
def list_requests(call: ApiRequest) -> HttpResponse:
    """Those of the consumers in reach, the newest first."""
    found = PermissionRequest.objects.select_related("consumer", "scope").filter(consumer__in=call.readable())
    if "state" in call.query:
        found = found.filter(state=call.query["state"])
    rows, headers = paginate(call.request, found, call.query, whose=call.token_key)
    return json_response([_document(each) for each in rows], headers=headers)


@operation(
    id="createPermissionRequest",
    summary="Ask for a permission",
    body=PERMISSION_REQUEST,
    answers={201: PERMISSION_REQUEST},
    example={"consumer": "acme", "scope": "invoices:write", "reason": "Monthly close runs from our ERP."},
    **ASKING,
)
def create_request(call: ApiRequest) -> HttpResponse:
    """For managers. The consumer may be left out where the token reaches one alone."""
    sent = call.body
    consumer = consumer_for(call, sent.get("consumer"))
    count_mails(call.request, call.caller.actor.id)
    made = request_actions.request_permission(
        consumer=consumer, scope=sent["scope"], reason=sent["reason"], actor=call.caller.actor
    )
    return json_response(_document(made), 201, {"Location": f"/admin/permission-requests/{made.pk}"})


@operation(id="getPermissionRequest", summary="Read a request for a permission", answers=ONE, refusals=(404,), **READ)
def get_request(call: ApiRequest, request_id: str) -> HttpResponse:
    return json_response(_document(_find(call, request_id)))


@operation(
    id="answerPermissionRequest",
    summary="Answer what was asked back",
    body=ANSWER,
    answers=ONE,
    example={"answer": "From December on."},
    **ASKING,
)
def answer(call: ApiRequest, request_id: str) -> HttpResponse:
    """For managers."""
    found, said = _find(call, request_id), call.body["answer"]
    count_mails(call.request, call.caller.actor.id)
    return json_response(
        _document(request_actions.answer_permission_request(request=found, answer=said, actor=call.caller.actor))
    )


@operation(id="withdrawPermissionRequest", summary="Withdraw a request for a permission", answers=ONE, **ASKING)
def withdraw(call: ApiRequest, request_id: str) -> HttpResponse:
    """For managers."""
    found = _find(call, request_id)
    return json_response(_document(request_actions.withdraw_permission_request(request=found, actor=call.caller.actor)))


@operation(
    id="approvePermissionRequest",
    summary="Give a permission, for good or until a date",
    body=APPROVE,
    answers=ONE,
    example={"expires_at": None},
    **DECIDING,
)
def approve(call: ApiRequest, request_id: str) -> HttpResponse:
    """For operators. From its expiry on it works nowhere, whether or not anything runs."""
    call.require_operator()
    found, end = _find(call, request_id), read_end(call.body.get("expires_at"))
    return json_response(
        _document(request_actions.approve_permission(request=found, expires_at=end, actor=call.caller.actor))
    )


@operation(
    id="declinePermissionRequest",
    summary="Decline a request for a permission",
    body=DECLINE,
    answers=ONE,
    example={"decision": "It is for our own systems."},
    **DECIDING,
)
def decline(call: ApiRequest, request_id: str) -> HttpResponse:
    """For operators. The decision is mailed."""
    call.require_operator()
    found, said = _find(call, request_id), call.body.get("decision", "")
    return json_response(
        _document(request_actions.decline_permission(request=found, decision=said, actor=call.caller.actor))
    )


@operation(
    id="askBackPermissionRequest",
    summary="Ask back before deciding about a permission",
    body=ASK,
    answers=ONE,
    example={"question": "From when on?"},
    **DECIDING,
)
def ask_back(call: ApiRequest, request_id: str) -> HttpResponse:
    """For operators. The question is mailed to the managers."""
    call.require_operator()
    found, question = _find(call, request_id), call.body["question"]
    return json_response(
        _document(request_actions.ask_back_permission(request=found, question=question, actor=call.caller.actor))
    )


def _find(call: ApiRequest, request_id: str) -> PermissionRequest:
    """Return a request of a consumer in reach, for what the call does. Raises NotFound and AccessDenied."""
    rows = PermissionRequest.objects.select_related("consumer", "scope").filter(consumer__in=call.readable())
    found = find_by_uuid(rows, request_id)
    call.require_writable(found.consumer)
    return found
