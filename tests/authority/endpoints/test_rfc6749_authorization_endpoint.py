"""RFC 6749 section 3.1 and RFC 9700: who may send a person here, and where the person may be sent."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from tests.authority.flows import BACK, Flow, returned
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db


def assert_page(response, status=400):
    """The error stays on our own page (RFC 9700 section 4.11)."""
    assert response.status_code == status
    assert "Location" not in response
    assert b"Invalid request" in response.content


SPELLINGS = [
    "https://app.example.com/signed-in/",
    "https://app.example.com/signed-in?x=1",
    "https://app.example.com/signed-in#x",
    "https://app.example.com/signed-in#",
    "https://app.example.com/signed-in?",
    "https://app.example.com/Signed-in",
    "https://app.example.com:443/signed-in",
    "https://app.example.com:8443/signed-in",
    "https://APP.example.com/signed-in",
    "HTTPS://app.example.com/signed-in",
    "http://app.example.com/signed-in",
    "https://app.example.com/a/../signed-in",
    "https://app.example.com/./signed-in",
    "https://app.example.com//signed-in",
    "https://app.example.com/%73igned-in",
    "https://app.example.com%2fsigned-in",
    "https://app.example.com\\signed-in",
    "https://app.example.com\\@evil.example/signed-in",
    "https://user@app.example.com/signed-in",
    "https://app.example.com@evil.example/signed-in",
    "https://app.example.com.evil.example/signed-in",
    "https://evil.example/https://app.example.com/signed-in",
    "https://app.example.com/signed-in ",
    " https://app.example.com/signed-in",
    "https://app.example.com/signed-in\r\nX: y",
    "https://app.example.com/signed-in%0d%0aX: y",
    "https://app.example.com/signed-in%00",
    "//app.example.com/signed-in",
    "/signed-in",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://app.example.com/signed-in;x",
    "https://xn--app-example.com/signed-in",
    "https://аpp.example.com/signed-in",
    "http://127.0.0.1:8080/signed-in",
    "urn:ietf:wg:oauth:2.0:oob",
    "x" * 5000,
]


@pytest.mark.compliance("RFC 9700", "2.1")
@pytest.mark.parametrize("uri", SPELLINGS)
def test_only_the_registered_redirect_uri_letter_by_letter(web, browser_of, alice, uri):
    assert_page(Flow(web, browser_of(alice), redirect_uri=uri).open())
    assert_page(Flow(web, browser_of(alice), redirect_uri=uri).decide())


@pytest.mark.compliance("RFC 8252", "7.3")
@pytest.mark.parametrize(
    ("uri", "fine"),
    [
        ("http://127.0.0.1:51004/back", True),
        ("http://127.0.0.1:1/back", True),
        ("http://127.0.0.1/back", True),
        ("http://[::1]:51004/other", True),
        ("http://127.0.0.1:51004/other", False),
        ("http://127.0.0.1:51004/back/", False),
        ("http://127.0.0.1:51004/back?x", False),
        ("https://127.0.0.1:51004/back", False),
        ("http://127.0.0.2:51004/back", False),
        ("http://127.0.0.1:x/back", False),
        ("http://127.0.0.1:0/back", False),
        ("http://127.0.0.1:123456/back", False),
        ("http://127.0.0.1:51004@evil.example/back", False),
        ("http://127.0.0.1.evil.example:51004/back", False),
        ("http://localhost:51004/back", False),
    ],
)
def test_only_a_loopback_address_may_have_any_port(spa, browser_of, alice, uri, fine):
    spa.client.redirect_uris = ["http://127.0.0.1/back", "http://[::1]:8000/other", "http://localhost/back"]
    spa.client.save()
    response = Flow(spa, browser_of(alice), redirect_uri=uri, scope="openid").open()
    if fine:
        assert response.status_code == 200
    else:
        assert_page(response)


def test_app_with_a_scheme_of_its_own_gets_its_code(spa, browser_of, alice):
    spa.client.redirect_uris = ["com.example.app:/signed-in"]
    spa.client.save()
    flow = Flow(spa, browser_of(alice), redirect_uri="com.example.app:/signed-in", scope="openid")
    assert "form-action 'self' com.example.app:" in flow.open()["Content-Security-Policy"]
    response = flow.decide()
    assert response["Location"].startswith("com.example.app:/signed-in?code=")


@pytest.mark.compliance("RFC 9700", "4.11")
@pytest.mark.parametrize(
    "parameters",
    [
        {"client_id": None},
        {"client_id": "cl_nobody"},
        {"client_id": "cl_\0"},
        {"client_id": "x" * 10_000},
        {"client_id": "cl_ü"},
        {"client_id": "cl_nobody", "prompt": "none"},
        {"redirect_uri": "https://evil.example/", "prompt": "none"},
        {"redirect_uri": "https://evil.example/", "response_type": "token"},
        {"redirect_uri": "https://evil.example/", "request_uri": "https://evil.example/r"},
        {"state": "\0"},
        {"nonce": "a\0b"},
    ],
    ids=str,
)
def test_nothing_is_sent_anywhere_before_client_and_address_are_proven(web, browser_of, alice, client, parameters):
    assert_page(Flow(web, client, **parameters).open())  # signed out
    assert_page(Flow(web, browser_of(alice), **parameters).open())


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "scope", "state", "response_type", "nonce", "prompt"])
def test_repeated_parameter_stays_on_our_page(flow, name):
    assert_page(flow.browser.get(f"{flow.address}&{name}=x&{name}=y"))


def test_several_registered_addresses_need_a_choice(web, browser_of, alice):
    web.client.redirect_uris.append("https://other.example.com/back")
    web.client.save()
    assert_page(Flow(web, browser_of(alice), redirect_uri=None).open())


@pytest.mark.parametrize("what", ["client", "consumer"])
def test_disabled_client_and_suspended_consumer_are_not_served(flow, what):
    row = flow.program.client if what == "client" else flow.program.client.consumer
    setattr(row, "disabled_at" if what == "client" else "suspended_at", timezone.now())
    row.save()
    assert_page(flow.open())
    assert_page(flow.decide())


@pytest.mark.compliance("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_type": "codex"}, "unsupported_response_type"),
        ({"scope": "invoices:read"}, "invalid_scope"),
        ({"scope": "openid invoices:read"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"nonce": "n" * 256}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://app.example.com/r"}, "request_uri_not_supported"),
        ({"prompt": "none"}, "consent_required"),
        ({"prompt": "none login"}, "invalid_request"),
    ],
    ids=str,
)
def test_the_client_learns_the_registered_error_with_its_state(web, browser_of, alice, settings, parameters, error):
    back = returned(Flow(web, browser_of(alice), **parameters).open())
    assert back["error"] == error
    assert back["state"] == "a state"
    assert back["iss"] == settings.ISSUER


def test_client_without_the_grant_may_not_ask(acme, acme_access, browser_of, alice, program):
    client = ClientFactory(consumer=acme, redirect_uris=[BACK])
    program.client = client
    assert returned(Flow(program, browser_of(alice)).open())["error"] == "unauthorized_client"


def test_prompt_none_without_a_session_is_login_required(web, client):
    assert returned(Flow(web, client, prompt="none").open())["error"] == "login_required"


def test_who_is_not_signed_in_signs_in_first_and_comes_back(web, client):
    flow = Flow(web, client)
    response = flow.open()
    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/?next=%2Foauth2%2Fauthorize%3F")


@pytest.mark.compliance("RFC 9700", "4.2")
def test_the_way_back_is_a_get_without_referrer(flow):
    response = flow.decide()
    assert response.status_code == 303
    assert response["Referrer-Policy"] == "no-referrer"


def test_answer_in_the_fragment_when_asked(web, browser_of, alice, settings):
    back = returned(Flow(web, browser_of(alice), response_mode="fragment").decide(), part="fragment")
    assert back["code"]
    assert back["iss"] == settings.ISSUER
    again = Flow(web, browser_of(alice), response_mode="fragment", prompt="consent")
    back = returned(again.decide("deny"), part="fragment")
    assert back["error"] == "access_denied"


# -- The page ---------------------------------------------------------------------------------------------------------


def test_page_says_who_asks_for_what_as_whom_and_where_it_leads(flow):
    page = flow.open().content.decode()
    for words in ("Dispatch board", "Acme Logistics", "alice@acme.example", "Read shipments", "app.example.com"):
        assert words in page
    assert "Know who you are" in page
    assert "Book and change shipments" not in page  # not asked for


@pytest.mark.parametrize(("scope", "words"), [("email", "Your email address."), ("profile", "Your name.")])
def test_page_says_what_is_told_of_the_person_also_without_openid(web, browser_of, alice, scope, words):
    assert words in Flow(web, browser_of(alice), scope=f"{scope} shipments:read").open().content.decode()


def test_this_page_alone_may_lead_to_the_clients_address(flow, client):
    assert "form-action 'self' https://app.example.com;" in flow.open()["Content-Security-Policy"] + ";"
    assert "app.example.com" not in flow.browser.get("/account/logout/")["Content-Security-Policy"]


def test_markup_in_names_is_text(flow):
    flow.program.client.client_name = "<script>alert(1)</script>"
    flow.program.client.save()
    assert b"<script>alert" not in flow.open().content


@pytest.mark.compliance("RFC 9700", "4.16")
def test_answer_needs_the_page_that_asked_for_it(web, alice):
    from django.test import Client as Browser

    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert Flow(web, browser).decide().status_code == 403


def changed(request, **parameters):
    return "/oauth2/authorize/decision?" + urlencode(request | parameters)


@pytest.mark.compliance("RFC 9700", "4.16")
def test_answer_to_another_request_than_the_one_shown_is_refused(flow, browser_of, bob):
    signed_request = unescape(re.search(r'name="signed_request" value="([^"]+)"', flow.open().content.decode())[1])
    form = {"decision": "allow", "scope": ["shipments:read", "shipments:write"], "signed_request": signed_request}
    for altered in ({"scope": "openid shipments:read shipments:write"}, {"state": "x"}, {"nonce": "x"}):
        assert_page(flow.browser.post(changed(flow.request, **altered), form))
    assert_page(flow.browser.post(changed(flow.request), form | {"signed_request": signed_request + "x"}))
    assert_page(flow.browser.post(changed(flow.request), form | {"signed_request": ""}))
    assert_page(browser_of(bob).post(changed(flow.request), form))  # the page was shown to Alice


def test_an_hour_after_the_page_the_answer_is_refused(flow, time_machine):
    signed_request = unescape(re.search(r'name="signed_request" value="([^"]+)"', flow.open().content.decode())[1])
    time_machine.move_to(timezone.now() + timedelta(seconds=3700))
    assert_page(flow.browser.post(changed(flow.request), {"decision": "allow", "signed_request": signed_request}))


def test_person_can_allow_less_but_never_more_than_was_asked(flow):
    flow.request["scope"] = "openid shipments:read"
    tokens = flow.exchange(returned(flow.decide(scope=("shipments:read", "shipments:write", "email")))["code"]).json()
    assert tokens["scope"] == "openid shipments:read"


def test_page_is_neither_cached_nor_framed(flow):
    response = flow.open()
    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
