"""Consent requests, which the provider's own consent answers (/admin/oauth2/auth/requests/consent), as Ory's."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from authority.api import login_answers as answers
from authority.api.login_answers import (
    ABOUT,
    CONTEXT,
    MOMENT,
    REDIRECT,
    REJECTION,
    REMEMBER,
    REQUEST,
    SESSION,
    TEXT,
    TEXTS,
)
from authority.authorization import challenges
from authority.authorization.challenges import Kind
from consumers.rest.operations import ApiRequest, operation
from core.rest import responses
from core.rest.errors import InvalidRequest

QUERY = answers.named_by(Kind.CONSENT)
OF_LOGIN = ("acr", "amr", "context", "login_challenge", "login_session_id")  # what the login has said before
CONSENT_REQUEST: dict[str, Any] = {
    "title": "OAuth2ConsentRequest",
    "type": "object",
    "properties": dict(REQUEST)
    | {
        "consent_request_id": TEXT,
        "login_challenge": TEXT,
        "login_session_id": TEXT,
        "acr": TEXT,
        "amr": TEXTS,
        "context": CONTEXT,
        "device_challenge_id": TEXT | {"description": "Always empty."},
    },
}
GRANTED = {"type": ["array", "null"], "items": TEXT}
ACCEPTANCE: dict[str, Any] = {
    "title": "AcceptOAuth2ConsentRequest",
    "type": "object",
    "properties": {
        "grant_scope": GRANTED,
        "grant_access_token_audience": GRANTED,
        "session": SESSION,
        **REMEMBER,
        "context": CONTEXT,
        "handled_at": MOMENT | {"description": "Has no effect: it is handled now."},
    },
    "additionalProperties": False,
}


@operation(
    id="getOAuth2ConsentRequest",
    summary="Read a consent request",
    scope="logins:read",
    query=QUERY,
    answers={200: CONSENT_REQUEST, 410: REDIRECT},
    refusals=(404,),
    **ABOUT,
)
def get_consent_request(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. With `skip` the person need not be asked: accept it as it is, or reject it."""
    row = answers.find(call, Kind.CONSENT)
    if row.answered_at is not None:
        return answers.handled(row)
    asked = challenges.request_of(row)
    said = {name: asked[name] for name in OF_LOGIN} | {"consent_request_id": row.digest, "device_challenge_id": ""}
    return responses.document(answers.request_document(call, row) | said)


@operation(
    id="acceptOAuth2ConsentRequest",
    summary="Say what a person allows a client",
    scope="logins:write",
    action="change",
    query=QUERY,
    body=ACCEPTANCE,
    answers={200: REDIRECT, 410: REDIRECT},
    example={
        "grant_scope": ["openid", "shipments:read"],
        "remember": True,
        "session": {"access_token": {"plan": "gold"}, "id_token": {"locale": "de"}},
    },
    refusals=(404,),
    **ABOUT,
)
def accept_consent_request(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. Claims for the access token stand in `ext`; `roles` become the person’s in the API."""
    row, sent = answers.find(call, Kind.CONSENT), call.body
    asked = challenges.request_of(row)
    return answers.answer(
        row,
        grant_scope=_within(sent, "grant_scope", asked["requested_scope"]),
        grant_access_token_audience=_within(
            sent, "grant_access_token_audience", asked["requested_access_token_audience"]
        ),
        session=answers.session(sent, row.api),
        context=answers.context(sent),
        **answers.remembered(sent),
    )


def _within(sent: Mapping[str, Any], name: str, requested: list[str]) -> list[str]:
    """Return what is granted. Raises InvalidRequest for what was not requested."""
    granted: list[str] = sent.get(name) or []
    if not set(granted) <= set(requested):
        raise InvalidRequest(f"Grant what was requested at most: {', '.join(requested) or 'nothing was'}.", field=name)
    return granted


@operation(
    id="rejectOAuth2ConsentRequest",
    summary="Say that a person does not allow it",
    scope="logins:write",
    action="change",
    query=QUERY,
    body=REJECTION,
    answers={200: REDIRECT, 410: REDIRECT},
    example={"error": "access_denied", "error_description": "The resource owner denied the request"},
    refusals=(404,),
    **ABOUT,
)
def reject_consent_request(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. The client hears the error and its description, never what stands in error_debug."""
    return answers.answer(answers.find(call, Kind.CONSENT), **answers.rejection(call.body))
