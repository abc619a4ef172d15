"""/oauth2/authorize: a person lets a client in, or does not (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2).

A request comes by GET or POST, from anywhere. Whatever the person has to do first leads back to it: sign in, choose an
account, answer. Their answer comes to an address of its own, by a form of ours.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth import logout as end_session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, FatalClientError

from authority.authorization import consents, flow_state, pushed_requests, sign_ins
from authority.authorization.flow_state import TICKET, Ticket
from authority.authorization.interaction import Step, next_step
from authority.authorization.request import PARAMETERS, Asked
from authority.endpoints.browser_responses import Return, error_page, leading_to, note, send_back
from authority.endpoints.decorators import FORM, REPEATABLE, method_not_allowed, once
from authority.endpoints.validate_request import address, judge
from authority.models import PushedRequest
from authority.people import browser_authentication
from authority.protocol import redirect_uris
from authority.protocol.errors import InvalidRequestError, OAuth2Error, StaleFormError
from authority.server.server import server
from authority.telemetry import request_trace
from clients.models import Scope
from clients.uris.redirect_uris import ANSWERS
from clients.vocabulary import IDENTITY_SCOPES
from consumers.audit import Actor
from consumers.models import User

MAX_LENGTH = 6000  # characters that a request by POST may have, for it goes on in our own address


@dataclass(frozen=True, slots=True)
class Visit:
    """A browser that stands at the endpoint with a request that holds."""

    request: HttpRequest
    parameters: Mapping[str, str]  # as they stand in the address
    judged: Mapping[str, str]  # these, or those that the client pushed
    asked: Asked
    ticket: Ticket | None
    pushed: PushedRequest | None = field(repr=False)

    def url(self, name: str = "authorize", **more: str) -> str:
        return _url(name, dict(self.parameters) | more)

    def coming_back(self, chosen: str = "", *, after_form: bool = True) -> str:
        """Return where the request goes on, with the moment since when it is under way."""
        since = self.ticket.since if self.ticket else None
        return self.url(
            **{TICKET: flow_state.issue(self.parameters, since=since, chosen=chosen, after_form=after_form)}
        )


# -- The three addresses ----------------------------------------------------------------------------------------------


@csrf_exempt  # a request may come from any site (OpenID Connect Core section 3.1.2.1); it changes nothing by itself
def authorize(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _by_get(request)
    if request.method != "GET":
        return method_not_allowed(("GET", "POST"))
    return _at(request, _go_on)


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Take the person's answer to the page that they were shown, and to no other."""
    return _at(request, _answer)


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Sign out, and let somebody sign in for the request."""
    return _at(request, _change_account)


def _at(request: HttpRequest, step: Callable[[Visit], HttpResponse]) -> HttpResponse:
    """Judge the request, then do the step.

    Until client and redirect URI are proven, whatever is wrong stays on a page of ours (RFC 9700 section 4.11).
    """
    request_trace.begin("authorize")
    asked = pushed = ticket = None
    try:
        parameters = _known(once(request.GET.lists()))
        ticket = flow_state.read(parameters)
        pushed = pushed_requests.find(parameters, ticket)
        if pushed is not None and pushed.opened_at is None:
            return Return(_url("authorize", parameters | {TICKET: pushed_requests.open_once(pushed, parameters)}))
        judged = pushed_requests.parameters_of(pushed) if pushed is not None else parameters
        asked = judge(judged, is_pushed=pushed is not None)
        return step(Visit(request, parameters, judged, asked, ticket, pushed))
    except FatalClientError as error:
        return error_page(request, error)
    except OAuth2Error as error:
        place = asked or error  # an error of the judge itself says where it may be sent
        if not place.redirect_uri:
            return error_page(request, error)
        note(request, error)
        error.state = place.state
        if pushed is not None and not pushed_requests.answer_once(pushed):
            return error_page(request, pushed_requests.unknown())
        return send_back(request, place.redirect_uri, place.response_mode, error.twotuples, _after_form(ticket))


def _after_form(ticket: Ticket | None) -> bool:
    return ticket is not None and ticket.after_form


def _by_get(request: HttpRequest) -> HttpResponse:
    """Lead a request that came by POST to where it is served.

    From another site a browser brings no session with a POST, so the person would seem to be signed out.
    """
    request_trace.begin("authorize")
    try:
        if request.content_type != FORM:
            raise InvalidRequestError(f"Send the parameters as {FORM}.")
        uri = _url("authorize", _known(once(chain(request.GET.lists(), request.POST.lists()))))
        if len(uri) > MAX_LENGTH:
            raise InvalidRequestError(f"Shorten the request to {MAX_LENGTH:,} characters, or push it.")
    except OAuth2Error as error:
        return error_page(request, error)
    return Return(uri)


def _known(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: parameters[name] for name in (*PARAMETERS, TICKET) if name in parameters}


def _url(name: str, parameters: Mapping[str, str]) -> str:
    pairs = [
        (name, value) for name, text in parameters.items() for value in (text.split() if name == REPEATABLE else [text])
    ]
    return f"{reverse(name)}?{urlencode(pairs)}"


# -- What the person does ---------------------------------------------------------------------------------------------


def _go_on(visit: Visit) -> HttpResponse:
    """Ask the next thing of the person, or give the client its code."""
    person = _signed_in(visit)
    remembered = person is not None and consents.is_remembered(visit.asked, person)
    step = _step_of(visit, at=time.time(), is_remembered=remembered)
    if step == Step.SIGN_IN:
        return _sign_in(visit)
    if step == Step.SIGN_IN_AGAIN:
        return _leave_for("account_reauthenticate", visit)
    if step == Step.SECOND_FACTOR:
        return _leave_for("mfa_reauthenticate", visit)
    if step == Step.CHOOSE_ACCOUNT:
        return _choice_page(visit)
    assert person is not None
    if step == Step.CONSENT:
        return _consent_page(visit, person)
    return _let_in(visit, person, visit.asked.scopes)


def _step_of(visit: Visit, *, at: float, is_remembered: bool) -> Step:
    now = browser_authentication.of(visit.request)
    more = visit.asked.acr == browser_authentication.TWO_FACTORS and browser_authentication.could_show_more(
        visit.request, now
    )
    return next_step(visit.asked, now, visit.ticket, at=at, is_remembered=is_remembered, second_factor=more)


def _signed_in(visit: Visit) -> User | None:
    return visit.request.user if isinstance(visit.request.user, User) else None


def _sign_in(visit: Visit) -> HttpResponse:
    """Lead to the sign-in page, with the address that the client expects where it named one."""
    if "@" in visit.asked.login_hint and len(visit.asked.login_hint) <= 254:
        return _leave_for("account_login", visit, login_hint=visit.asked.login_hint)
    return _leave_for("account_login", visit)


def _leave_for(page: str, visit: Visit, **more: str) -> HttpResponse:
    """Send the person to a page of the portal that brings them back to the request."""
    return redirect(f"{reverse(page)}?{urlencode({REDIRECT_FIELD_NAME: visit.coming_back()} | more)}")


def _change_account(visit: Visit) -> HttpResponse:
    end_session(visit.request)
    return _sign_in(visit)


def _answer(visit: Visit) -> HttpResponse:
    """Raises StaleFormError unless the form was made for this request and this person, AccessDeniedError for a no."""
    person = _signed_in(visit)
    if person is None:
        return Return(visit.url())
    shown_at = flow_state.sealed_at(visit.request.POST.get("seal", ""), visit.parameters, str(person.pk))
    if shown_at is None:
        raise StaleFormError()
    if _step_of(visit, at=shown_at, is_remembered=False) != Step.CONSENT:
        return Return(visit.url())
    granted = _chosen(visit.request, visit.asked.scopes)
    if not granted:
        raise AccessDeniedError("The person did not allow it.")
    return _let_in(visit, person, granted)


def _chosen(request: HttpRequest, asked: list[str]) -> list[str]:
    """Return what of the request the person allows: who they are as a whole, each permission by itself."""
    if request.POST.get("decision") != "allow":
        return []
    ticked = request.POST.getlist("scope")
    return [value for value in asked if value in IDENTITY_SCOPES or value in ticked]


def _let_in(visit: Visit, person: User, granted: list[str]) -> HttpResponse:
    """Make a code, and bring it to the client."""
    asked = visit.asked
    with transaction.atomic():
        if visit.pushed is not None and not pushed_requests.answer_once(visit.pushed):
            raise pushed_requests.unknown()
        consents.remember(asked=asked, granted=granted, person=person, actor=Actor.of(visit.request))
        credentials = {
            "user": person,
            "sign_in": sign_ins.begin(visit.request, asked, person),
            "resource": asked.resources,
        }
        location = server().create_authorization_response(
            address(visit.judged, response_mode="query"), scopes=granted, credentials=credentials
        )[0]["Location"]
    made = [(name, value) for name, value in parse_qsl(urlsplit(location).query) if name in ANSWERS]
    return send_back(visit.request, asked.redirect_uri, asked.response_mode, made, _after_form(visit.ticket))


# -- Pages ------------------------------------------------------------------------------------------------------------


def _consent_page(visit: Visit, person: User) -> HttpResponse:
    asked = visit.asked
    context = {
        "client": asked.client,
        "consumer": asked.client.consumer,
        "host": redirect_uris.host(asked.redirect_uri),
        "is_local": redirect_uris.is_local(asked.redirect_uri),
        "asks_who": any(value in asked.scopes for value in ("openid", "profile", "email")),
        "scopes": asked.scopes,
        "permissions": Scope.objects.select_related("api").filter(value__in=asked.scopes),
        "resources": consents.beyond(asked),
        "documents": _documents(asked),
        "will_be_remembered": consents.is_assured(asked),
        "action": visit.url("authorize-decision"),
        "switch": visit.url("authorize-switch"),
        "seal": flow_state.seal(visit.parameters, str(person.pk)),
    }
    page = render(visit.request, "authority/consent.html", context)
    return leading_to([*settings.SECURE_CSP["form-action"], redirect_uris.origin(asked.redirect_uri)], page)


def _documents(asked: Asked) -> list[tuple[str, str]]:
    """Return what the client's owners want to be read (RFC 7591 section 2); web addresses alone are links."""
    named = [("Privacy policy", asked.client.policy_uri), ("Terms of service", asked.client.tos_uri)]
    return [(name, uri) for name, uri in named if uri.startswith("https://")]


def _choice_page(visit: Visit) -> HttpResponse:
    """Ask with which account to go on; only one is signed in at a time, and the client may expect another."""
    asked, person = visit.asked, _signed_in(visit)
    assert person is not None
    context = {
        "client": asked.client,
        "consumer": asked.client.consumer,
        "is_expected": asked.subject in (None, str(person.pk)),
        "go_on": visit.coming_back(str(person.pk), after_form=False),
        "switch": visit.url("authorize-switch"),
    }
    return render(visit.request, "authority/choose_account.html", context)
