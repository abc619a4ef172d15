"""/oauth2/logout: a client signs the person out here too (OpenID Connect RP-Initiated Logout).

A request comes by GET or POST, from anywhere; the person's answer comes to an address of its own, by a form of ours.
It is about the session here, or about the one of the provider's own login (own_logout.py), never about both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout as end_session
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from authority import client_directory
from authority.authorization import login_sessions
from authority.endpoints import own_logout
from authority.endpoints.browser_responses import ClientRedirect, error_page, with_form_action
from authority.endpoints.decorators import FORM_CONTENT_TYPE, method_not_allowed, single_values
from authority.models import LoginSession
from authority.people import id_tokens
from authority.protocol import redirect_uris
from authority.protocol.errors import InvalidRequestError, OAuth2Error
from clients.models import Client

PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")
MAX_LENGTH = 6000


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A valid logout request. `return_uri` is where the person goes afterwards, None for our own page."""

    is_vouched_for: bool  # operators let the client sign people out without a question
    subject: str | None  # of the ID token in id_token_hint
    return_uri: str | None
    client: Client | None
    query: str  # of its own address


@csrf_exempt  # a request may come from any site (section 2); signing out without a question needs a genuine ID token
def logout(request: HttpRequest) -> HttpResponse:
    """Sign out at once where an ID token of the signed-in person asks for it; else ask them (section 2)."""
    if request.method not in ("GET", "POST"):
        return method_not_allowed(("GET", "POST"))
    try:
        if request.method == "POST":
            return _redirect_to_get(request)
        parameters = single_values(request.GET.lists())
        logout_request = _validate_request(parameters)
        verifier = parameters.get("logout_verifier")
        if verifier is not None or own_logout.is_meant(request, logout_request.subject):
            return _end_own_login(request, logout_request, verifier)
    except OAuth2Error as error:
        return error_page(request, error)
    if request.user.is_authenticated and not _needs_no_question(logout_request, str(request.user.pk)):
        return_uri = logout_request.return_uri
        action = f"{reverse('end-session-decision')}?{request.GET.urlencode()}"
        host = return_uri and redirect_uris.display_host(return_uri)
        page = render(request, "authority/logout.html", {"action": action, "host": host})
        sources = [redirect_uris.csp_source(return_uri)] if return_uri else []
        return with_form_action(request, [*settings.SECURE_CSP["form-action"], *sources], page)
    return _sign_out(request, logout_request)


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Sign out, as the person answers."""
    try:
        parameters = single_values(request.GET.lists())
        logout_request = _validate_request(parameters)
    except OAuth2Error as error:
        return error_page(request, error)
    if parameters.get(own_logout.OF) == own_logout.LOGIN:  # the session that the page was about
        return _after(request, logout_request, login_sessions.current(request))
    return _sign_out(request, logout_request)


def _sign_out(request: HttpRequest, logout_request: LogoutRequest) -> HttpResponse:
    end_session(request)
    return (
        ClientRedirect(logout_request.return_uri)
        if logout_request.return_uri
        else redirect(settings.LOGIN_REDIRECT_URL)
    )


def _end_own_login(request: HttpRequest, logout_request: LogoutRequest, verifier: str | None) -> HttpResponse:
    """End the session of the provider's own login, as its address answers, or the person here.

    Raises AccessDeniedError and TooManyRequestsError.
    """
    address = f"{reverse('end-session')}?{logout_request.query}"
    if verifier is not None:
        return _after(request, logout_request, own_logout.take(request, verifier, address))
    session = login_sessions.current(request)
    if session is None:
        return _after(request, logout_request, None)
    needs_no_question = _needs_no_question(logout_request, session.user.subject)
    if session.api.logout_url and not (logout_request.is_vouched_for and needs_no_question):
        is_of_client = logout_request.subject == session.user.subject
        return own_logout.lead(request, session, address, client=logout_request.client, is_of_client=is_of_client)
    if needs_no_question:
        return _after(request, logout_request, session)
    query = "&".join(filter(None, (logout_request.query, f"{own_logout.OF}={own_logout.LOGIN}")))
    action = f"{reverse('end-session-decision')}?{query}"
    return_uri = logout_request.return_uri
    host = return_uri and redirect_uris.display_host(return_uri)
    page = render(request, "authority/logout_of_login.html", {"action": action, "host": host, "person": session.user})
    sources = [redirect_uris.csp_source(return_uri)] if return_uri else []
    return with_form_action(request, [*settings.SECURE_CSP["form-action"], *sources], page)


def _after(request: HttpRequest, logout_request: LogoutRequest, session: LoginSession | None) -> HttpResponse:
    """End the session, if there is one, and lead the person back to the client or to a page that says so."""
    if session is not None:
        login_sessions.end(session)
    if logout_request.return_uri:
        response: HttpResponse = ClientRedirect(logout_request.return_uri)
    else:
        response = render(request, "authority/signed_out.html")
    login_sessions.forget_cookie(response)
    return response


def _redirect_to_get(request: HttpRequest) -> HttpResponse:
    """Lead a request that came by POST to where it is served: from another site it brings no session."""
    if request.content_type != FORM_CONTENT_TYPE:
        raise InvalidRequestError(f"Send the parameters as {FORM_CONTENT_TYPE}.")
    parameters = single_values(chain(request.GET.lists(), request.POST.lists()))
    query = _query(parameters)
    if len(query) > MAX_LENGTH:
        raise InvalidRequestError(f"Shorten the request to {MAX_LENGTH:,} characters.")
    return ClientRedirect(f"{reverse('end-session')}?{query}")


def _needs_no_question(logout_request: LogoutRequest, person: str) -> bool:
    """Say whether the client may sign the person out by itself.

    Anybody can send a person here, so without an ID token of theirs they are asked (section 6); but where operators
    vouch for the client and it leads back to itself.
    """
    if logout_request.subject == person:
        return True
    return logout_request.is_vouched_for and logout_request.return_uri is not None and logout_request.subject is None


# -- The request ------------------------------------------------------------------------------------------------------


def _validate_request(parameters: Mapping[str, str]) -> LogoutRequest:
    """Raises InvalidRequestError for a hint that is none, and for an address that the client did not register."""
    hint = _read_hint(parameters)
    client_id = _client_id(parameters, hint)
    entry = client_directory.find(client_id) if client_id else None
    client = entry.client if entry else None
    vouched = entry is not None and entry.is_usable and entry.client.skip_logout_consent
    return LogoutRequest(
        is_vouched_for=vouched,
        subject=str(hint["sub"]) if hint else None,
        return_uri=_post_logout_redirect_uri(parameters, client),
        client=client,
        query=_query(parameters),
    )


def _query(parameters: Mapping[str, str]) -> str:
    return urlencode({name: parameters[name] for name in PARAMETERS if name in parameters})


def _read_hint(parameters: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the claims of the ID token that the request shows; it may have ended, and its key may be retired."""
    if "id_token_hint" not in parameters:
        return None
    claims = id_tokens.read_id_token(parameters["id_token_hint"])
    if claims is None:
        raise InvalidRequestError("id_token_hint is not an ID token of ours.")
    return claims


def _client_id(parameters: Mapping[str, str], hint: dict[str, Any] | None) -> str | None:
    """Return the client ID. Raises InvalidRequestError when client_id and id_token_hint disagree."""
    client_id = parameters.get("client_id")
    if hint is None:
        return client_id
    if client_id not in (None, hint["aud"]):
        raise InvalidRequestError("id_token_hint was issued to another client than client_id.")
    return cast("str", hint["aud"])


def _post_logout_redirect_uri(parameters: Mapping[str, str], client: Client | None) -> str | None:
    """Return where the person goes afterwards: an address that the client registered, or nowhere (section 3)."""
    uri = parameters.get("post_logout_redirect_uri")
    if uri is None:
        return None
    if client is None or not redirect_uris.is_registered(uri, client.post_logout_redirect_uris):
        raise InvalidRequestError("post_logout_redirect_uri is not registered for this client.")
    if "state" in parameters:
        return redirect_uris.with_parameters(uri, [("state", parameters["state"])])
    return uri
