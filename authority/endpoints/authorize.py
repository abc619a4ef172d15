"""The authorization endpoint: /oauth2/authorize (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2).

A request comes by GET or POST, from any site. Whatever the person has to do first leads back to it: sign in, choose an
account, consent. Their decision is posted to a URL of its own, by a form of ours.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import chain
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth import logout as end_session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, ConsentRequired, FatalClientError, LoginRequired

from authority.authorization import (
    consents,
    flow_state,
    login_sessions,
    pushed_requests,
    sign_in_rules,
    sign_ins,
)
from authority.authorization.flow_state import FLOW_STATE_PARAMETER, FlowState
from authority.authorization.interaction import Step, next_step
from authority.authorization.request import PARAMETERS
from authority.authorization.sign_ins import SignedIn
from authority.endpoints import authorization_pages as pages
from authority.endpoints import own_login
from authority.endpoints.browser_responses import (
    ClientRedirect,
    authorization_response,
    error_page,
    record_error,
)
from authority.endpoints.decorators import FORM_CONTENT_TYPE, method_not_allowed, single_values
from authority.endpoints.interaction import Interaction, url_of
from authority.endpoints.own_login import Consented
from authority.endpoints.validate_request import authorization_uri, validate_request
from authority.people import browser_authentication
from authority.protocol.errors import InvalidRequestError, OAuth2Error, StaleFormError
from authority.server.server import server
from authority.telemetry import request_trace
from authority.tokens.request_context import TokenRequestContext
from clients.models import Api, SignInBy
from clients.uris.redirect_uris import RESPONSE_PARAMETERS
from clients.vocabulary import IDENTITY_SCOPES
from consumers.access import token_refusal
from consumers.audit import Actor
from consumers.models import User

MAX_LENGTH = 6000  # characters of a request by POST, since it continues in our own URL
# The pages on which a person who is signed in authenticates again.
AUTHENTICATION = {Step.SIGN_IN_AGAIN: "account_reauthenticate", Step.SECOND_FACTOR: "mfa_reauthenticate"}


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
                url_of("authorize", parameters | {FLOW_STATE_PARAMETER: pushed_requests.open_once(pushed, parameters)})
            )
        resolved = pushed_requests.parameters_of(pushed) if pushed is not None else parameters
        auth_request = validate_request(resolved, is_pushed=pushed is not None)
        rule = sign_in_rules.of_request(auth_request)
        auth_request = replace(auth_request, max_age=_shorter(auth_request.max_age, rule.max_age))
        return step(Interaction(request, parameters, resolved, auth_request, rule, flow, pushed))
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
        uri = url_of("authorize", _known_parameters(single_values(chain(request.GET.lists(), request.POST.lists()))))
        if len(uri) > MAX_LENGTH:
            raise InvalidRequestError(f"Shorten the request to {MAX_LENGTH:,} characters.")
    except OAuth2Error as error:
        return error_page(request, error)
    return ClientRedirect(uri)


def _shorter(seconds: int | None, others: int | None) -> int | None:
    return min((each for each in (seconds, others) if each is not None), default=None)


def _known_parameters(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: parameters[name] for name in (*PARAMETERS, FLOW_STATE_PARAMETER) if name in parameters}


# -- The interaction ---------------------------------------------------------------------------------------------


def _next_page(interaction: Interaction) -> HttpResponse:
    """Return the page of the next step, or issue the code."""
    if (api := interaction.rule.login_api) is not None:
        return _next_page_of_own_login(interaction, api)
    person = _signed_in_here(interaction)
    if person is not None:
        _require_admission_in_silence(interaction, person)
    remembered = person is not None and _is_remembered(interaction, person.user)
    step = _next_step(interaction, person, at=time.time(), is_remembered=remembered)
    if person is None or step == Step.SIGN_IN:
        return _sign_in(interaction)
    if step in AUTHENTICATION:
        return _redirect_to_page(AUTHENTICATION[step], interaction)
    if step == Step.CHOOSE_ACCOUNT:
        return pages.choice_page(interaction)
    return _refusal(interaction, person) or _consent_or_code(interaction, person, asks=step == Step.CONSENT)


def _consent_or_code(interaction: Interaction, person: SignedIn, *, asks: bool) -> HttpResponse:
    if asks:
        return pages.consent_page(interaction, person.user)
    return _issue_code(interaction, person, interaction.auth_request.scopes)


def _next_page_of_own_login(interaction: Interaction, api: Api) -> HttpResponse:
    """Return the page of the next step where the provider's own login signs people in, or issue the code."""
    person = own_login.signed_in(interaction, api)
    if isinstance(person, HttpResponse):
        return person
    remembered = _is_remembered(interaction, person.user)
    if api.consent_url:
        allowed = own_login.consented(interaction, api, person, is_remembered=remembered)
        if isinstance(allowed, HttpResponse):
            return allowed
        return _issue_code(interaction, person, allowed.scopes, allowed)
    asks = not remembered or "consent" in interaction.auth_request.prompts
    if asks and "none" in interaction.auth_request.prompts:
        raise ConsentRequired()
    return _consent_or_code(interaction, person, asks=asks)


def _is_remembered(interaction: Interaction, user: User) -> bool:
    return not interaction.rule.asks_consent_each_time and consents.is_remembered(interaction.auth_request, user)


def _next_step(interaction: Interaction, person: SignedIn | None, *, at: float, is_remembered: bool) -> Step:
    now = person.now if person is not None else None
    wants_two = interaction.auth_request.acr == browser_authentication.TWO_FACTORS
    more = wants_two and browser_authentication.has_unused_second_factor(interaction.request, now)
    return next_step(
        interaction.auth_request, now, interaction.flow, at=at, is_remembered=is_remembered, second_factor=more
    )


def _signed_in_here(interaction: Interaction) -> SignedIn | None:
    now = browser_authentication.current_authentication(interaction.request)
    user = interaction.request.user
    return SignedIn(user, now) if isinstance(user, User) and now is not None else None


def _signed_in(interaction: Interaction) -> SignedIn | None:
    """Return who is signed in for the request, without leading anybody anywhere."""
    if interaction.rule.login_api is None:
        return _signed_in_here(interaction)
    return own_login.signed_in_already(interaction, interaction.rule.login_api)


def _require_admission_in_silence(interaction: Interaction, person: SignedIn) -> None:
    """Raise AccessDeniedError for whom no sign-in and no consent would help, where nobody may be asked."""
    auth_request = interaction.auth_request
    is_who_is_meant = auth_request.subject in (None, person.now.subject)
    if "none" in auth_request.prompts and is_who_is_meant and not _is_admitted(interaction, person):
        request_trace.set_reason("person_not_admitted")
        raise AccessDeniedError("The person may not sign in to apps that use this API.")


def _is_admitted(interaction: Interaction, person: SignedIn) -> bool:
    return interaction.rule.admits(person.user, interaction.request.session.session_key or "")


def _refusal(interaction: Interaction, person: SignedIn) -> HttpResponse | None:
    """Return the page that says why the person may not go on as they are, or None.

    Raises AccessDeniedError or LoginRequired where nobody may be asked.
    """
    silent = "none" in interaction.auth_request.prompts
    if not _is_admitted(interaction, person):
        request_trace.set_reason("person_not_admitted")
        return pages.not_admitted_page(interaction, person.user)
    if interaction.rule.requires_two_factors and "mfa" not in person.now.methods:
        if silent:
            raise LoginRequired("The API wants two factors, and the person has used one.")
        if browser_authentication.has_unused_second_factor(interaction.request, person.now):
            return _redirect_to_page("mfa_reauthenticate", interaction)
        return pages.second_factor_page(interaction)
    return token_refusal(interaction.request, person.user, interaction.auth_request.scopes)


def _sign_in(interaction: Interaction) -> HttpResponse:
    """Lead to the sign-in, of the API's connections where it has some, with the e-mail address of login_hint."""
    if interaction.rule.mode == SignInBy.CONNECTIONS:
        return pages.connections_page(interaction)
    if "@" in interaction.auth_request.login_hint and len(interaction.auth_request.login_hint) <= 254:
        return _redirect_to_page("account_login", interaction, login_hint=interaction.auth_request.login_hint)
    return _redirect_to_page("account_login", interaction)


def _redirect_to_page(page: str, interaction: Interaction, **more: str) -> HttpResponse:
    """Redirect to a page of the portal that leads back to the request."""
    return redirect(f"{reverse(page)}?{urlencode({REDIRECT_FIELD_NAME: interaction.coming_back()} | more)}")


def _change_account(interaction: Interaction) -> HttpResponse:
    if interaction.rule.login_api is not None:
        if (session := login_sessions.current(interaction.request)) is not None:
            login_sessions.end(session)
        return ClientRedirect(interaction.coming_back())
    end_session(interaction.request)
    return _sign_in(interaction)


def _decide(interaction: Interaction) -> HttpResponse:
    """Raise StaleFormError unless the form was made for this request and person, AccessDeniedError on a no."""
    person = _signed_in(interaction)
    if person is None:
        return ClientRedirect(interaction.url())
    shown_at = flow_state.verify_consent_form(
        interaction.request.POST.get("signed_request", ""), interaction.parameters, str(person.user.pk)
    )
    if shown_at is None:
        raise StaleFormError()
    if interaction.request.POST.get("decision") == "deny":
        raise AccessDeniedError("The person did not allow it.")
    if person.login is None:
        if _next_step(interaction, person, at=shown_at, is_remembered=False) != Step.CONSENT:
            return ClientRedirect(interaction.url())
        if (refused := _refusal(interaction, person)) is not None:
            return refused
    elif interaction.rule.login_api is not None and interaction.rule.login_api.consent_url:
        return ClientRedirect(interaction.url())
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


def _issue_code(
    interaction: Interaction, person: SignedIn, granted: list[str], consented: Consented | None = None
) -> HttpResponse:
    """Issue a code, and send it to the client. `consented` is what the provider's own consent said, if it was asked."""
    auth_request, request = interaction.auth_request, interaction.request
    claims = consented.claims if consented is not None else person.claims
    if consented is not None:
        auth_request = replace(auth_request, resources=consented.resources)
    with transaction.atomic():
        if interaction.pushed is not None and not pushed_requests.answer_once(interaction.pushed):
            raise pushed_requests.unknown_request_uri()
        if person.login is not None and not login_sessions.is_live(person.login):
            raise LoginRequired("The person has signed out.")
        consents.record_for_request(
            auth_request=auth_request,
            granted=granted,
            person=person.user,
            actor=login_sessions.actor_of(request, person.user) if person.login is not None else Actor.of(request),
            remembered_until=consented.remembered_until if consented is not None else None,
        )
        sign_in = sign_ins.record(request, auth_request, person, claims)
        credentials = {
            "user": person.user,
            "context": TokenRequestContext(sign_in=sign_in),
            "resource": auth_request.resources,
        }
        location = server().create_authorization_response(
            authorization_uri(interaction.resolved, response_mode="query"), scopes=granted, credentials=credentials
        )[0]["Location"]
    made = [(name, value) for name, value in parse_qsl(urlsplit(location).query) if name in RESPONSE_PARAMETERS]
    return authorization_response(
        request, auth_request.redirect_uri, auth_request.response_mode, made, interaction.after_form
    )
