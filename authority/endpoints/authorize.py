"""The authorization endpoint: /oauth2/authorize (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2).

A request comes by GET or POST, from any site. Whatever the person has to do first leads back to it: sign in, choose an
account, consent. Their decision is posted to a URL of its own, by a form of ours.
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
from authority.authorization.flow_state import FLOW_STATE_PARAMETER, FlowState
from authority.authorization.interaction import Step, next_step
from authority.authorization.request import PARAMETERS, AuthorizationRequest
from authority.endpoints.browser_responses import (
    ClientRedirect,
    authorization_response,
    error_page,
    record_error,
    with_form_action,
)
from authority.endpoints.decorators import FORM_CONTENT_TYPE, REPEATABLE, method_not_allowed, single_values
from authority.endpoints.validate_request import authorization_uri, validate_request
from authority.models import PushedRequest
from authority.people import browser_authentication
from authority.protocol import redirect_uris
from authority.protocol.errors import InvalidRequestError, OAuth2Error, StaleFormError
from authority.server.server import server
from authority.telemetry import request_trace
from authority.tokens.request_context import TokenRequestContext
from clients.models import Scope
from clients.uris.redirect_uris import RESPONSE_PARAMETERS
from clients.vocabulary import IDENTITY_SCOPES
from consumers.access import token_refusal
from consumers.audit import Actor
from consumers.models import User

MAX_LENGTH = 6000  # characters of a request by POST, since it continues in our own URL


@dataclass(frozen=True, slots=True)
class Interaction:
    """A browser at the endpoint, with a valid authorization request."""

    request: HttpRequest
    parameters: Mapping[str, str]  # of the URL
    resolved: Mapping[str, str]  # these, or those of the pushed request
    auth_request: AuthorizationRequest
    flow: FlowState | None
    pushed: PushedRequest | None = field(repr=False)

    def url(self, name: str = "authorize", **more: str) -> str:
        return _url(name, dict(self.parameters) | more)

    def coming_back(self, chosen: str = "", *, after_form: bool = True) -> str:
        """Return the URL at which the request continues, with the time when it began."""
        since = self.flow.since if self.flow else None
        signed = flow_state.sign_state(self.parameters, since=since, chosen=chosen, after_form=after_form)
        return self.url(**{FLOW_STATE_PARAMETER: signed})


# -- The three endpoints ----------------------------------------------------------------------------------------------


@csrf_exempt  # a request may come from any site (OpenID Connect Core section 3.1.2.1); it changes nothing by itself
def authorize(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return _redirect_to_get(request)
    if request.method != "GET":
        return method_not_allowed(("GET", "POST"))
    return _validated(request, _next_page)


@require_POST
def decide(request: HttpRequest) -> HttpResponse:
    """Take the person's decision on the page that they were shown, and on no other."""
    return _validated(request, _decide)


@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Sign out, and let another account sign in for the request."""
    return _validated(request, _change_account)


def _validated(request: HttpRequest, step: Callable[[Interaction], HttpResponse]) -> HttpResponse:
    """Validate the request, then take the step.

    Until client and redirect URI are known to be valid, errors stay on a page of ours (RFC 9700 section 4.11).
    """
    request_trace.start("authorize")
    auth_request = pushed = flow = None
    try:
        parameters = _known_parameters(single_values(request.GET.lists()))
        flow = flow_state.verify_state(parameters)
        pushed = pushed_requests.find(parameters, flow)
        if pushed is not None and pushed.opened_at is None:
            return ClientRedirect(
                _url("authorize", parameters | {FLOW_STATE_PARAMETER: pushed_requests.open_once(pushed, parameters)})
            )
        resolved = pushed_requests.parameters_of(pushed) if pushed is not None else parameters
        auth_request = validate_request(resolved, is_pushed=pushed is not None)
        return step(Interaction(request, parameters, resolved, auth_request, flow, pushed))
    except FatalClientError as error:
        return error_page(request, error)
    except OAuth2Error as error:
        place = auth_request or error  # an error of the validation itself says where it may be sent
        if not place.redirect_uri:
            return error_page(request, error)
        record_error(request, error)
        error.state = place.state
        if pushed is not None and not pushed_requests.answer_once(pushed):
            return error_page(request, pushed_requests.unknown_request_uri())
        return authorization_response(
            request, place.redirect_uri, place.response_mode, error.twotuples, _after_form(flow)
        )


def _after_form(flow: FlowState | None) -> bool:
    return flow is not None and flow.after_form


def _redirect_to_get(request: HttpRequest) -> HttpResponse:
    """Redirect a request that came by POST to the same request by GET.

    Browsers send no session cookie with a POST from another site, so the person would seem to be signed out.
    """
    request_trace.start("authorize")
    try:
        if request.content_type != FORM_CONTENT_TYPE:
            raise InvalidRequestError(f"Send the parameters as {FORM_CONTENT_TYPE}.")
        uri = _url("authorize", _known_parameters(single_values(chain(request.GET.lists(), request.POST.lists()))))
        if len(uri) > MAX_LENGTH:
            raise InvalidRequestError(f"Shorten the request to {MAX_LENGTH:,} characters.")
    except OAuth2Error as error:
        return error_page(request, error)
    return ClientRedirect(uri)


def _known_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: parameters[name] for name in (*PARAMETERS, FLOW_STATE_PARAMETER) if name in parameters}


def _url(name: str, parameters: Mapping[str, str]) -> str:
    pairs = [
        (name, value) for name, text in parameters.items() for value in (text.split() if name == REPEATABLE else [text])
    ]
    return f"{reverse(name)}?{urlencode(pairs)}"


# -- The interaction ---------------------------------------------------------------------------------------------


def _next_page(interaction: Interaction) -> HttpResponse:
    """Return the page of the next step, or issue the code."""
    person = _signed_in_user(interaction)
    remembered = person is not None and consents.is_remembered(interaction.auth_request, person)
    step = _next_step(interaction, at=time.time(), is_remembered=remembered)
    if step == Step.SIGN_IN:
        return _sign_in(interaction)
    if step == Step.SIGN_IN_AGAIN:
        return _redirect_to_page("account_reauthenticate", interaction)
    if step == Step.SECOND_FACTOR:
        return _redirect_to_page("mfa_reauthenticate", interaction)
    if step == Step.CHOOSE_ACCOUNT:
        return _choice_page(interaction)
    assert person is not None
    refused = token_refusal(interaction.request, person, interaction.auth_request.scopes)
    if step == Step.CONSENT:
        return refused or _consent_page(interaction, person)
    return refused or _issue_code(interaction, person, interaction.auth_request.scopes)


def _next_step(interaction: Interaction, *, at: float, is_remembered: bool) -> Step:
    now = browser_authentication.current_authentication(interaction.request)
    more = (
        interaction.auth_request.acr == browser_authentication.TWO_FACTORS
        and browser_authentication.has_unused_second_factor(interaction.request, now)
    )
    return next_step(
        interaction.auth_request, now, interaction.flow, at=at, is_remembered=is_remembered, second_factor=more
    )


def _signed_in_user(interaction: Interaction) -> User | None:
    return interaction.request.user if isinstance(interaction.request.user, User) else None


def _sign_in(interaction: Interaction) -> HttpResponse:
    """Redirect to the sign-in page, with the e-mail address of login_hint if there is one."""
    if "@" in interaction.auth_request.login_hint and len(interaction.auth_request.login_hint) <= 254:
        return _redirect_to_page("account_login", interaction, login_hint=interaction.auth_request.login_hint)
    return _redirect_to_page("account_login", interaction)


def _redirect_to_page(page: str, interaction: Interaction, **more: str) -> HttpResponse:
    """Redirect to a page of the portal that leads back to the request."""
    return redirect(f"{reverse(page)}?{urlencode({REDIRECT_FIELD_NAME: interaction.coming_back()} | more)}")


def _change_account(interaction: Interaction) -> HttpResponse:
    end_session(interaction.request)
    return _sign_in(interaction)


def _decide(interaction: Interaction) -> HttpResponse:
    """Raise StaleFormError unless the form was made for this request and person, AccessDeniedError on a no."""
    person = _signed_in_user(interaction)
    if person is None:
        return ClientRedirect(interaction.url())
    shown_at = flow_state.verify_consent_form(
        interaction.request.POST.get("signed_request", ""), interaction.parameters, str(person.pk)
    )
    if shown_at is None:
        raise StaleFormError()
    if _next_step(interaction, at=shown_at, is_remembered=False) != Step.CONSENT:
        return ClientRedirect(interaction.url())
    if (refused := token_refusal(interaction.request, person, interaction.auth_request.scopes)) is not None:
        return refused
    granted = _granted_scopes(interaction.request, interaction.auth_request.scopes)
    if not granted:
        raise AccessDeniedError("The person did not allow it.")
    return _issue_code(interaction, person, granted)


def _granted_scopes(request: HttpRequest, requested: list[str]) -> list[str]:
    """Return the scopes that the person allows: identity scopes as a whole, each permission by itself."""
    if request.POST.get("decision") != "allow":
        return []
    ticked = request.POST.getlist("scope")
    return [value for value in requested if value in IDENTITY_SCOPES or value in ticked]


def _issue_code(interaction: Interaction, person: User, granted: list[str]) -> HttpResponse:
    """Issue a code, and send it to the client."""
    auth_request = interaction.auth_request
    with transaction.atomic():
        if interaction.pushed is not None and not pushed_requests.answer_once(interaction.pushed):
            raise pushed_requests.unknown_request_uri()
        consents.record_for_request(
            auth_request=auth_request, granted=granted, person=person, actor=Actor.of(interaction.request)
        )
        credentials = {
            "user": person,
            "context": TokenRequestContext(sign_in=sign_ins.record(interaction.request, auth_request, person)),
            "resource": auth_request.resources,
        }
        location = server().create_authorization_response(
            authorization_uri(interaction.resolved, response_mode="query"), scopes=granted, credentials=credentials
        )[0]["Location"]
    made = [(name, value) for name, value in parse_qsl(urlsplit(location).query) if name in RESPONSE_PARAMETERS]
    return authorization_response(
        interaction.request, auth_request.redirect_uri, auth_request.response_mode, made, _after_form(interaction.flow)
    )


# -- Pages ------------------------------------------------------------------------------------------------------------


def _consent_page(interaction: Interaction, person: User) -> HttpResponse:
    auth_request = interaction.auth_request
    context = {
        "client": auth_request.client,
        "consumer": auth_request.client.consumer,
        "host": redirect_uris.display_host(auth_request.redirect_uri),
        "is_local": redirect_uris.is_local(auth_request.redirect_uri),
        "asks_who": any(value in auth_request.scopes for value in ("openid", "profile", "email")),
        "scopes": auth_request.scopes,
        "permissions": Scope.objects.select_related("api").filter(value__in=auth_request.scopes),
        "resources": consents.extra_resources(auth_request),
        "learned": consents.learned_claims(auth_request.scopes),
        "documents": _documents(auth_request),
        "will_be_remembered": consents.may_be_remembered(auth_request),
        "action": interaction.url("authorize-decision"),
        "switch": interaction.url("authorize-switch"),
        "signed_request": flow_state.sign_consent_form(interaction.parameters, str(person.pk)),
    }
    page = render(interaction.request, "authority/consent.html", context)
    sources = [*settings.SECURE_CSP["form-action"], redirect_uris.csp_source(auth_request.redirect_uri)]
    return with_form_action(interaction.request, sources, page)


def _documents(auth_request: AuthorizationRequest) -> list[tuple[str, str]]:
    """Return the client's policy and terms (RFC 7591 section 2), where they are https URLs."""
    named = [("Privacy policy", auth_request.client.policy_uri), ("Terms of service", auth_request.client.tos_uri)]
    return [(name, uri) for name, uri in named if uri.startswith("https://")]


def _choice_page(interaction: Interaction) -> HttpResponse:
    """Ask which account to continue with; only one is signed in at a time, and the client may expect another."""
    auth_request, person = interaction.auth_request, _signed_in_user(interaction)
    assert person is not None
    context = {
        "client": auth_request.client,
        "consumer": auth_request.client.consumer,
        "is_expected": auth_request.subject in (None, str(person.pk)),
        "go_on": interaction.coming_back(str(person.pk), after_form=False),
        "switch": interaction.url("authorize-switch"),
    }
    return render(interaction.request, "authority/choose_account.html", context)
