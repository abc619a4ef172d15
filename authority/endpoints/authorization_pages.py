"""The pages that the authorization endpoint shows on the way to a code."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpResponse
from django.shortcuts import render

from authority.authorization import consents, flow_state
from authority.authorization.request import AuthorizationRequest
from authority.endpoints.browser_responses import with_form_action
from authority.endpoints.interaction import Interaction
from authority.protocol import redirect_uris
from clients.models import Scope
from consumers.models import User


def consent_page(interaction: Interaction, person: User) -> HttpResponse:
    auth_request = interaction.auth_request
    context = {
        "client": auth_request.client,
        "consumer": auth_request.client.consumer,
        "person": person,
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


def choice_page(interaction: Interaction) -> HttpResponse:
    """Ask which account to continue with; only one is signed in at a time, and the client may expect another."""
    auth_request, person = interaction.auth_request, interaction.request.user
    assert isinstance(person, User)
    context = {
        "client": auth_request.client,
        "consumer": auth_request.client.consumer,
        "is_expected": auth_request.subject in (None, person.subject),
        "go_on": interaction.coming_back(person.subject, after_form=False),
        "switch": interaction.url("authorize-switch"),
    }
    return render(interaction.request, "authority/choose_account.html", context)


def connections_page(interaction: Interaction) -> HttpResponse:
    """Let the person sign in by one of the API's connections, or as a member of the client's consumer."""
    hint = interaction.auth_request.login_hint
    going_on = {REDIRECT_FIELD_NAME: interaction.coming_back()} | ({"login_hint": hint} if "@" in hint else {})
    context = {
        "client": interaction.auth_request.client,
        "consumer": interaction.auth_request.client.consumer,
        "connections": list(interaction.rule.connections),
        "query": urlencode(going_on),
    }
    return render(interaction.request, "authority/sign_in_by.html", context)


def not_admitted_page(interaction: Interaction, person: User) -> HttpResponse:
    """Say that the account is none of those that may sign in, and how to go on with another."""
    auth_request = interaction.auth_request
    context = {
        "client": auth_request.client,
        "consumer": auth_request.client.consumer,
        "person": person,
        "apis": interaction.rule.apis,
        "connections": list(interaction.rule.connections),
        "host": redirect_uris.display_host(auth_request.redirect_uri),
        "action": interaction.url("authorize-decision"),
        "switch": interaction.url("authorize-switch"),
        "signed_request": flow_state.sign_consent_form(interaction.parameters, str(person.pk)),
    }
    page = render(interaction.request, "authority/not_admitted.html", context, status=403)
    sources = [*settings.SECURE_CSP["form-action"], redirect_uris.csp_source(auth_request.redirect_uri)]
    return with_form_action(interaction.request, sources, page)


def second_factor_page(interaction: Interaction) -> HttpResponse:
    """Say that the API wants two factors, and where to set the second one up."""
    context = {
        "client": interaction.auth_request.client,
        "apis": [api for api in interaction.rule.apis if api.requires_two_factors],
        "go_on": interaction.coming_back(after_form=False),
    }
    return render(interaction.request, "authority/second_factor_needed.html", context, status=403)
