"""Login requests, which the provider's own login answers (/admin/oauth2/auth/requests/login), as Ory's."""

import re
from typing import Any
from uuid import UUID

from django.http import HttpResponse

from authority.api import login_answers as answers
from authority.api.login_answers import ABOUT, CONTEXT, REDIRECT, REJECTION, REMEMBER, REQUEST, SESSION, TEXT
from authority.authorization import challenges
from authority.authorization.challenges import Kind
from authority.models import Challenge, LoginSession
from clients.models import Client
from consumers.models import User
from consumers.rest.operations import ApiRequest, operation
from core import clock
from core.limits import length_schema
from core.rest import responses
from core.rest.errors import InvalidRequest

QUERY = answers.named_by(Kind.LOGIN)
SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")  # OpenID Connect Core section 2: `sub`
LOGIN_REQUEST: dict[str, Any] = {
    "title": "OAuth2LoginRequest",
    "type": "object",
    "properties": dict(REQUEST) | {"session_id": TEXT | {"description": "The session’s name: `sid` in tokens."}},
}
ACCEPTANCE: dict[str, Any] = {
    "title": "AcceptOAuth2LoginRequest",
    "type": "object",
    "required": ["subject"],
    "properties": {
        "subject": TEXT
        | {"description": "What you call the person, for good: `sub` of their tokens. Printable ASCII."},
        **REMEMBER,
        "extend_session_lifespan": {"type": ["boolean", "null"]},
        "acr": length_schema(LoginSession, "acr") | {"type": ["string", "null"]},
        "amr": {"type": ["array", "null"], "maxItems": 20, "items": {"type": "string", "maxLength": 100}},
        "identity_provider_session_id": length_schema(LoginSession, "identity_provider_session_id")
        | {"type": ["string", "null"]},
        "force_subject_identifier": {"type": ["string", "null"], "description": "Has no effect here: leave it out."},
        "context": CONTEXT,
        "session": SESSION
        | {"description": "Not of Ory’s: claims for tokens, where our page asks for consent; as in consent requests."},
    },
    "additionalProperties": False,
}


@operation(
    id="getOAuth2LoginRequest",
    summary="Read a login request",
    scope="logins:read",
    query=QUERY,
    answers={200: LOGIN_REQUEST, 410: REDIRECT},
    refusals=(404,),
    **ABOUT,
)
def get_login_request(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. With `skip` the person is signed in already: accept it with that subject, or reject it."""
    row = answers.find(call, Kind.LOGIN)
    if row.answered_at is not None:
        return answers.handled(row)
    named = {"session_id": challenges.request_of(row)["session_id"]}
    return responses.document(answers.request_document(call, row) | named)


@operation(
    id="acceptOAuth2LoginRequest",
    summary="Say who has signed in",
    scope="logins:write",
    action="change",
    query=QUERY,
    body=ACCEPTANCE,
    answers={200: REDIRECT, 410: REDIRECT},
    example={"subject": "user-4711", "remember": True, "remember_for": 3600, "acr": "urn:example:mfa", "amr": ["mfa"]},
    refusals=(404,),
    **ABOUT,
)
def accept_login_request(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. The first sign-in of a subject makes an end user of that name."""
    row, sent = answers.find(call, Kind.LOGIN), call.body
    is_skipped = bool(challenges.request_of(row)["skip"])
    _check_subject(row, sent["subject"])
    if sent.get("extend_session_lifespan") and not is_skipped:
        raise InvalidRequest(
            "Leave it out: only a session that exists can last longer.", field="extend_session_lifespan"
        )
    if sent.get("force_subject_identifier"):
        raise InvalidRequest("Leave it out: a person has one subject at all clients.", field="force_subject_identifier")
    remembered = answers.remembered(sent)
    login = remembered | {
        "subject": sent["subject"],
        # A session in which the login is skipped is remembered, whatever is sent, as Ory has it.
        "remember": is_skipped or remembered["remember"],
        "extend_session_lifespan": bool(sent.get("extend_session_lifespan")),
        "acr": sent.get("acr") or "",
        "amr": sent.get("amr") or [],
        "identity_provider_session_id": sent.get("identity_provider_session_id") or "",
    }
    consent = {"context": answers.context(sent), "login_challenge": answers.challenge_of(call, Kind.LOGIN)}
    at = row.session.authenticated_at if is_skipped and row.session is not None else clock.now()
    session = answers.session(sent, row.api)
    return answers.answer(row, login=login, consent=consent, authenticated_at=at.isoformat(), session=session)


@operation(
    id="rejectOAuth2LoginRequest",
    summary="Refuse to sign a person in",
    scope="logins:write",
    action="change",
    query=QUERY,
    body=REJECTION,
    answers={200: REDIRECT, 410: REDIRECT},
    example={"error": "access_denied", "error_description": "The account is locked."},
    refusals=(404,),
    **ABOUT,
)
def reject_login_request(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. The client hears the error and its description, never what stands in error_debug."""
    return answers.answer(answers.find(call, Kind.LOGIN), **answers.rejection(call.body))


def _check_subject(row: Challenge, subject: str) -> None:
    """Refuse a subject that no token may have, or that is somebody else's. Raises InvalidRequest."""
    if not SUBJECT.fullmatch(subject) or subject != subject.strip():
        raise InvalidRequest(
            "Use 1 to 255 characters of printable ASCII (OpenID Connect Core section 2).", field="subject"
        )
    asked = challenges.request_of(row)
    if asked["skip"] and subject != asked["subject"]:
        raise InvalidRequest("It is not the one of the request, which says that the login is skipped.", field="subject")
    if not asked["skip"] and _is_taken(subject):
        raise InvalidRequest("Name the person otherwise: this is the subject of somebody else.", field="subject")


def _is_taken(subject: str) -> bool:
    """Say whether tokens name a person of the portal so, or a client that acts for itself (RFC 9068 section 5)."""
    # A client of a metadata document is called by its address, also one that comes later.
    if "://" in subject or Client.objects.filter(client_id=subject).exists():
        return True
    try:
        key = UUID(subject)
    except ValueError:
        return False
    return User.objects.filter(pk=key, login_subject=None).exists()
