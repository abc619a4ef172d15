"""What people allow clients, and where the provider's own login has signed them in (/admin/oauth2/auth/sessions)."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse

from authority.api.consent_requests import CONSENT_REQUEST
from authority.api.login_answers import CONTEXT, MOMENT, OBJECT, TEXT, TEXTS
from authority.authorization import session_revocation
from authority.models import Consent, LoginSession, SignIn
from clients.documents import client_document
from consumers.models import User
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core import clock
from core.rest.errors import AccessDenied, InvalidRequest
from core.rest.paging import PAGING, paginate

ABOUT: dict[str, Any] = {"tag": "Logins"}
SUBJECT = TEXT | {"description": "`sub` of the person’s tokens."}
CONSENT_SESSION: dict[str, Any] = {
    "title": "OAuth2ConsentSession",
    "type": "object",
    "properties": {
        "consent_request_id": TEXT,
        "grant_scope": TEXTS,
        "grant_access_token_audience": TEXTS,
        "session": {"type": "object", "properties": {"access_token": OBJECT, "id_token": OBJECT}},
        "remember": {"type": "boolean"},
        "remember_for": {
            "type": "integer",
            "description": "In seconds, from handled_at on; 0 where it does not expire.",
        },
        "handled_at": MOMENT,
        "context": CONTEXT,
        "consent_request": CONSENT_REQUEST,
    },
}


@operation(
    id="listOAuth2ConsentSessions",
    summary="List what a person allows clients",
    scope="logins:read",
    model="authority.consent",
    query=PAGING | {"subject": SUBJECT, "login_session_id": TEXT | {"description": "Only clients signed in to by it."}},
    answers={200: {"type": "array", "items": CONSENT_SESSION}},
    **ABOUT,
)
def list_consent_sessions(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens: one for each client, by the person’s latest decision. Empty for an unknown subject."""
    _require_everywhere(call)
    if "subject" not in call.query:
        raise InvalidRequest("Name the person: “?subject=…”.", field="subject")
    consents = Consent.objects.select_related("client__consumer", "user").prefetch_related("client__secrets")
    consents = consents.filter(user__in=_people(call.query["subject"]))
    if "login_session_id" in call.query:
        sid = call.query["login_session_id"]
        consents = consents.filter(client__in=SignIn.objects.filter(sid=sid).values("client"))
    rows, headers = paginate(call.request, consents, call.query, whose=call.token_key)
    return json_response(_documents(rows), headers=headers)


@operation(
    id="revokeOAuth2ConsentSessions",
    summary="Revoke what a person allows clients",
    scope="logins:write",
    model="authority.consent",
    action="delete",
    query={
        "subject": SUBJECT,
        "client": TEXT | {"description": "Only of this client, by its ID."},
        "consent_request_id": TEXT | {"description": "Only this one, as the list names it."},
        "all": {"type": "boolean", "description": "Of all clients."},
    },
    answers={204: "The clients can do nothing more for the person."},
    **ABOUT,
)
def revoke_consent_sessions(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. Every code and token that the clients have for the person ends too."""
    _require_everywhere(call)
    query, found = call.query, Consent.objects.all()
    if "consent_request_id" in query:
        found = found.filter(pk=_number(query["consent_request_id"]))
    elif "subject" not in query:
        raise InvalidRequest("Name the person: “?subject=…”.", field="subject")
    elif "client" not in query and not query.get("all"):
        raise InvalidRequest("Name the client, “client=…”, or say “all=true” for every one.", field="client")
    if "subject" in query:
        found = found.filter(user__in=_people(query["subject"]))
    if "client" in query:
        found = found.filter(client__client_id=query["client"])
    session_revocation.revoke_consents(consents=found, actor=call.caller.actor)
    return no_content()


@operation(
    id="revokeOAuth2LoginSessions",
    summary="End sign-ins by your own login",
    scope="logins:write",
    model="authority.loginsession",
    action="delete",
    query={"subject": SUBJECT, "sid": TEXT | {"description": "The session, as `sid` of ID tokens names it."}},
    answers={204: "The sessions are over, and clients hear of it."},
    **ABOUT,
)
def revoke_login_sessions(call: ApiRequest) -> HttpResponse:
    """For operators’ tokens. All sessions of the person, or one. Sessions of the portal are none of them."""
    _require_everywhere(call)
    query = call.query
    if ("subject" in query) == ("sid" in query):
        raise InvalidRequest("Name the person, “?subject=…”, or the session, “?sid=…”.", field="subject")
    sessions = LoginSession.objects.all()
    if "subject" in query:
        sessions = sessions.filter(user__in=_people(query["subject"]))
    else:
        sid = _uuid(query["sid"])
        sessions = sessions.filter(pk=sid) if sid is not None else sessions.none()
    session_revocation.end_login_sessions(sessions=sessions, actor=call.caller.actor)
    return no_content()


def _require_everywhere(call: ApiRequest) -> None:
    """Raise AccessDenied for a token that is not an operator's, or that reaches one workspace alone."""
    call.require_operator()
    if call.caller.consumer_id is not None:
        raise AccessDenied("This token reaches one workspace alone. Create one that reaches all.")


def _people(subject: str) -> list[User]:
    """Return the person whose tokens have this `sub`; none is empty."""
    found = User.objects.filter(login_subject=subject)
    if not found and (key := _uuid(subject)) is not None and str(key) == subject:
        found = User.objects.filter(pk=key, login_subject=None)
    return list(found)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    """Return the ID of a row, 0 where no row can have it."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _documents(consents: list[Consent]) -> list[dict[str, Any]]:
    """Return the documents of one person's consents, each with the latest sign-in at its client."""
    users, clients = {each.user_id for each in consents}, [each.client_id for each in consents]
    latest = SignIn.objects.filter(user__in=users, client__in=clients).order_by("client_id", "-created_at")
    sign_ins = {each.client_id: each for each in latest.distinct("client_id")}
    return [_document(consent, sign_ins.get(consent.client_id)) for consent in consents]


def _document(consent: Consent, sign_in: SignIn | None) -> dict[str, Any]:
    name, until = str(consent.pk), consent.remembered_until
    claims = (sign_in.claims if sign_in is not None else None) or {}
    lasts = int((until - consent.last_used_at).total_seconds()) if until is not None else 0
    request = {
        "challenge": "",
        "consent_request_id": name,
        "subject": consent.user.subject,
        "client": client_document(consent.client),
        "requested_scope": consent.scopes,
        "requested_access_token_audience": consent.resources,
        "skip": False,
        "request_url": "",
        "oidc_context": {},
        "login_challenge": "",
        "login_session_id": sign_in.sid if sign_in is not None else "",
        "acr": sign_in.acr if sign_in is not None else "",
        "amr": sign_in.methods if sign_in is not None else [],
        "context": None,
        "device_challenge_id": "",
    }
    return {
        "consent_request_id": name,
        "grant_scope": consent.scopes,
        "grant_access_token_audience": consent.resources,
        "session": {kind: claims.get(kind, {}) for kind in ("access_token", "id_token")},
        "remember": until is None or until > clock.now(),
        "remember_for": max(lasts, 0),
        "handled_at": consent.last_used_at,
        "context": None,
        "consent_request": request,
    }
