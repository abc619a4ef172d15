"""Requests of strangers for a workspace (/admin/workspace-requests). For operators; strangers have a page."""

from typing import Any

from django.http import HttpResponse

from clients.actions import workspace_requests as request_actions
from clients.models import RequestState, WorkspaceRequest
from consumers.models import Consumer
from consumers.rest.lookups import find_by_uuid
from consumers.rest.operations import ApiRequest, json_response, operation
from core.limits import length_schema
from core.rest.errors import InvalidRequest
from core.rest.paging import PAGING, paginate
from core.timefmt import parse_moment

ABOUT: dict[str, Any] = {"tag": "Consumers", "model": "clients.workspacerequest"}
READ = ABOUT | {"scope": "consumers:read"}
CHANGE = ABOUT | {"scope": "consumers:write", "action": "change", "refusals": (404, 409)}
TEXT = {"type": "string"}
MOMENT = {"type": ["string", "null"], "format": "date-time"}
STATES = [state.value for state in RequestState if state != RequestState.UNVERIFIED]
STATE = {"state": {"type": "string", "enum": STATES, "description": "Only those in this state."}}
SAID = length_schema(WorkspaceRequest, "question") | {"type": "string", "minLength": 1}
ASK: dict[str, Any] = {
    "title": "Question",
    "type": "object",
    "required": ["question"],
    "properties": {"question": SAID},
    "additionalProperties": False,
}
DECLINE: dict[str, Any] = {
    "title": "Decline",
    "type": "object",
    "properties": {"decision": length_schema(WorkspaceRequest, "decision") | {"type": "string"}},
    "additionalProperties": False,
}
WORKSPACE_REQUEST: dict[str, Any] = {
    "title": "WorkspaceRequest",
    "type": "object",
    "properties": {
        **dict.fromkeys(("id", "email", "name", "organisation", "reason", "terms", "question", "answer"), TEXT),
        "decision": TEXT,
        "decided_by": TEXT,
        "scopes": {"type": "array", "items": TEXT},
        "state": {"type": "string", "enum": STATES},
        "consumer": {"type": ["string", "null"], "description": "Short name of the workspace, once it is open."},
        **dict.fromkeys(("created_at", "verified_at", "decided_at", "expires_at"), MOMENT),
    },
}
APPROVE: dict[str, Any] = {
    "title": "WorkspaceApproval",
    "type": "object",
    "properties": {
        "slug": length_schema(Consumer, "slug")
        | {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$", "description": "By default from the organisation."},
        "scopes": {"type": "array", "items": TEXT, "maxItems": 200, "description": "By default what was asked for."},
        "expires_at": MOMENT | {"description": "When these scopes expire; null for good."},
    },
    "additionalProperties": False,
}


def _document(request: WorkspaceRequest) -> dict[str, Any]:
    names = ("email", "name", "organisation", "reason", "terms", "question", "answer", "decision", "scopes", "state")
    moments = ("created_at", "verified_at", "decided_at", "expires_at")
    return {
        "id": str(request.pk),
        **{name: getattr(request, name) for name in (*names, *moments)},
        "decided_by": request.decided_by_label,
        "consumer": request.consumer.slug if request.consumer else None,
    }


@operation(
    id="listWorkspaceRequests",
    summary="List requests for a workspace",
    query=PAGING | STATE,
    answers={200: {"type": "array", "items": WORKSPACE_REQUEST}},
    **READ,
)
def list_requests(call: ApiRequest) -> HttpResponse:
    """For operators: those whose address is confirmed."""
    call.require_operator()
    found = WorkspaceRequest.objects.shown().select_related("consumer")
    if "state" in call.query:
        found = found.filter(state=call.query["state"])
    rows, headers = paginate(call.request, found, call.query, whose=call.token_key)
    return json_response([_document(each) for each in rows], headers=headers)


@operation(
    id="getWorkspaceRequest",
    summary="Read a request for a workspace",
    answers={200: WORKSPACE_REQUEST},
    refusals=(404,),
    **READ,
)
def get_request(call: ApiRequest, request_id: str) -> HttpResponse:
    """For operators."""
    return json_response(_document(_find(call, request_id)))


@operation(
    id="approveWorkspaceRequest",
    summary="Open the workspace",
    body=APPROVE,
    answers={200: WORKSPACE_REQUEST},
    example={"slug": "northwind"},
    **CHANGE,
)
def approve(call: ApiRequest, request_id: str) -> HttpResponse:
    """For operators. Who asked is invited as its manager."""
    found, sent = _find(call, request_id), call.body
    done = request_actions.approve_workspace_request(
        request=found,
        slug=sent.get("slug", ""),
        scopes=sent.get("scopes"),
        expires_at=read_end(sent.get("expires_at")),
        actor=call.caller.actor,
    )
    return json_response(_document(done))


@operation(
    id="declineWorkspaceRequest",
    summary="Decline a request for a workspace",
    body=DECLINE,
    answers={200: WORKSPACE_REQUEST},
    example={"decision": "We know no such company."},
    **CHANGE,
)
def decline(call: ApiRequest, request_id: str) -> HttpResponse:
    """For operators. The decision is mailed."""
    found, said = _find(call, request_id), call.body.get("decision", "")
    return json_response(
        _document(request_actions.decline_workspace(request=found, decision=said, actor=call.caller.actor))
    )


@operation(
    id="askBackWorkspaceRequest",
    summary="Ask back before deciding about a workspace",
    body=ASK,
    answers={200: WORKSPACE_REQUEST},
    example={"question": "Which of our customers do you serve?"},
    **CHANGE,
)
def ask_back(call: ApiRequest, request_id: str) -> HttpResponse:
    """For operators. The question is mailed, with a link to answer it."""
    found, question = _find(call, request_id), call.body["question"]
    return json_response(
        _document(request_actions.ask_back_workspace(request=found, question=question, actor=call.caller.actor))
    )


def read_end(text: str | None) -> Any:
    """Return when something ends, or None for good. Raises InvalidRequest."""
    if text is None:
        return None
    try:
        return parse_moment(text)
    except ValueError as problem:
        raise InvalidRequest(str(problem), field="expires_at") from None


def _find(call: ApiRequest, request_id: str) -> WorkspaceRequest:
    call.require_operator()
    return find_by_uuid(WorkspaceRequest.objects.shown().select_related("consumer"), request_id)
