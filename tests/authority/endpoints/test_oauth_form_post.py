"""OAuth 2.0 Form Post Response Mode, RFC 9207, and requests by POST."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser

from tests.authority.conftest import FORM
from tests.authority.flows import Flow, returned

pytestmark = pytest.mark.django_db


def posted(page):
    """Return where the page's form goes, and what it holds."""
    text = page.content.decode()
    assert page.status_code == 200, text
    action = unescape(re.search(r'<form class="form" id="answer" method="post" action="([^"]+)"', text)[1])
    return action, {
        name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)
    }


@pytest.mark.compliance("OAuth 2.0 Form Post Response Mode", "2")
@pytest.mark.compliance("RFC 9207", "2")
def test_answer_is_posted_to_the_client_alone(web, browser_of, alice, settings):
    flow = Flow(web, browser_of(alice), response_mode="form_post", state='a "state" <x>')
    page = flow.decide()
    action, answer = posted(page)
    assert action == "https://app.example.com/signed-in"
    assert (answer["state"], answer["iss"]) == ('a "state" <x>', settings.ISSUER)
    assert "form-action https://app.example.com;" in page["Content-Security-Policy"] + ";"
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] == "no-referrer"
    assert flow.exchange(answer["code"]).status_code == 200


@pytest.mark.compliance("RFC 9207", "2")
def test_errors_that_are_posted_name_the_issuer_too(web, browser_of, alice, settings):
    flow = Flow(web, browser_of(alice), response_mode="form_post")
    _, denied = posted(flow.decide("deny"))
    assert (denied["error"], denied["state"], denied["iss"]) == ("access_denied", "a state", settings.ISSUER)
    _, wrong = posted(Flow(web, browser_of(alice), response_mode="form_post", scope="unknown").open())
    assert (wrong["error"], wrong["iss"]) == ("invalid_scope", settings.ISSUER)


@pytest.mark.compliance("OAuth 2.0 Form Post Response Mode", "2")
@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"prompt": "none"}, "consent_required"),
        ({"id_token_hint": "x.y.z"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://app.example.com/request"}, "request_uri_not_supported"),
    ],
    ids=str,
)
def test_whatever_is_answered_comes_by_the_form_that_was_asked_for(web, browser_of, alice, parameters, error):
    _, answer = posted(Flow(web, browser_of(alice), response_mode="form_post", **parameters).open())
    assert (answer["error"], answer["state"]) == (error, "a state")


def test_whoever_is_not_signed_in_is_told_of_by_the_form(web):
    _, answer = posted(Flow(web, Browser(), response_mode="form_post", prompt="none").open())
    assert answer["error"] == "login_required"


def test_unknown_response_mode_is_refused_by_query(web, browser_of, alice):
    assert returned(Flow(web, browser_of(alice), response_mode="jwt").open())["error"] == "invalid_request"


def test_app_with_a_scheme_of_its_own_takes_no_form(spa, browser_of, alice):
    spa.client.redirect_uris = ["com.example.app:/back"]
    spa.client.save()
    flow = Flow(spa, browser_of(alice), redirect_uri="com.example.app:/back", scope="openid", response_mode="form_post")
    assert "error=invalid_request" in flow.open()["Location"]


@pytest.mark.compliance("OpenID Connect Core", "3.1.2.6")
@pytest.mark.parametrize(
    ("name", "value"),
    [("request", "x.y.z"), ("request_uri", "https://app.example.com/request"), ("registration", "{}")],
)
def test_what_is_not_supported_has_an_error_of_its_own(flow, settings, name, value):
    flow.request[name] = value
    back = returned(flow.open())
    assert back["error"] == f"{name}_not_supported"
    assert (back["state"], back["iss"]) == ("a state", settings.ISSUER)


# -- Requests by POST -------------------------------------------------------------------------------------------------


@pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")
def test_request_by_post_from_another_site_goes_on_by_get(flow):
    strict = Browser(enforce_csrf_checks=True)
    answer = strict.post("/oauth2/authorize", urlencode(flow.request | {"unknown": "x"}), content_type=FORM)
    assert answer.status_code == 303
    assert answer["Location"].startswith("/oauth2/authorize?")
    assert "unknown" not in answer["Location"]
    assert b"Dispatch board" in flow.browser.get(answer["Location"]).content


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("client_id=a&client_id=b", FORM),
        ("client_id=%00", FORM),
        ("client_id=" + "x" * 7000, FORM),
        ('{"client_id": "a"}', "application/json"),
        ("client_id=%ff", FORM),
    ],
)
def test_request_by_post_that_is_malformed_stays_here(client, body, content_type):
    answer = client.post("/oauth2/authorize", body, content_type=content_type)
    assert answer.status_code == 400
    assert b"Invalid request" in answer.content


def test_parameter_in_address_and_body_counts_as_repeated(client):
    answer = client.post("/oauth2/authorize?client_id=a", "client_id=b", content_type=FORM)
    assert answer.status_code == 400
