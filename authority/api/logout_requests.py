"""Logout requests, which the provider's own login answers (/admin/oauth2/auth/requests/logout), as Ory's."""

from typing import Any

from django.http import HttpResponse

from authority.api import login_answers as answers
from authority.api.login_answers import ABOUT, MOMENT, REDIRECT, TEXT
from authority.authorization import challenges
from authority.authorization.challenges import Kind
from clients.documents import client_document
from consumers.rest.operations import ApiRequest, no_content, operation
from core.rest import responses

QUERY = answers.named_by(Kind.LOGOUT)
LOGOUT_REQUEST: dict[str, Any] = {
    "title": "OAuth2LogoutRequest",
    "type": "object",
    "properties": {
        "challenge": TEXT,
        "subject": TEXT,
        "sid": TEXT,
        "request_url": TEXT,
        "rp_initiated": {"type": "boolean", "description": "Whether a client asks for it, by an ID token."},
        "client": {"type": ["object", "null"], "description": "The client that asks for it, if one does."},
        "expires_at": MOMENT,
        "requested_at": MOMENT,
    },
}


@operation(
    id="getOAuth2LogoutRequest",
    summary="Read a logout request",
    scope="logins:read",
    query=QUERY,
    answers={200: LOGOUT_REQUEST, 410: REDIRECT},
    refusals=(404,),
    **ABOUT,
)
def get_logout_request(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens."""
    row = answers.find(call, Kind.LOGOUT)
    if row.answered_at is not None:
        return answers.handled(row)
    asked = challenges.request_of(row)
    document = {name: asked[name] for name in ("subject", "sid", "request_url", "rp_initiated")}
    return responses.document(
        document
        | {
            "challenge": answers.challenge_of(call, Kind.LOGOUT),
            "client": client_document(row.client) if row.client is not None else None,
            "expires_at": row.expires_at,
            "requested_at": row.created_at,
        }
    )


@operation(
    id="acceptOAuth2LogoutRequest",
    summary="Sign a person out",
    scope="logins:write",
    action="change",
    query=QUERY,
    answers={200: REDIRECT, 410: REDIRECT},
    refusals=(404,),
    **ABOUT,
)
def accept_logout_request(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. The session ends once the browser comes back, and clients hear of it."""
    return answers.answer(answers.find(call, Kind.LOGOUT))


@operation(
    id="rejectOAuth2LogoutRequest",
    summary="Leave a person signed in",
    scope="logins:write",
    action="change",
    query=QUERY,
    answers={204: "The session goes on.", 410: REDIRECT},
    refusals=(404,),
    **ABOUT,
)
def reject_logout_request(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. The browser stays with your login."""
    row = answers.find(call, Kind.LOGOUT)
    if challenges.answer(row, **answers.rejection({})) is None:
        return answers.handled(row)
    return no_content()
