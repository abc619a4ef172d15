"""OpenID Connect Core 2 and 3.1.2.1: by how many factors people signed in, and what clients would like."""

import re
import time
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client as Browser

from authority.people.browser_authentication import ACR_VALUES, ONE_FACTOR, TWO_FACTORS, amr_values
from tests.authority.authorization.test_oidc_core_prompt import sign_in
from tests.authority.endpoints.test_oidc import id_token_claims
from tests.authority.flows import Flow, returned
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def totp():
    return format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time()))))


@pytest.fixture
def browser(alice):
    """Alice's browser, in which she signed in by password before she added her authenticator app."""
    browser = Browser()
    sign_in(browser, alice)
    TOTP.activate(alice, SECRET)
    return browser


def told(flow, answer):
    """Return what the ID token says of how the person signed in."""
    tokens = flow.exchange(returned(answer)["code"]).json()
    claims = id_token_claims(flow.program.http, tokens["id_token"])[1]
    return claims["acr"], claims["amr"]


@pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")
def test_second_factor_is_asked_for_where_the_client_would_like_it(web, browser):
    flow = Flow(web, browser, acr_values=f"urn:of:another {TWO_FACTORS} {ONE_FACTOR}")
    there = flow.open()
    assert there["Location"].startswith("/account/2fa/reauthenticate/?next=%2Foauth2%2Fauthorize")
    assert browser.get(there["Location"]).status_code == 200
    again = browser.get(parse_qs(urlsplit(there["Location"]).query)["next"][0])
    assert again["Location"].startswith("/account/2fa/reauthenticate/")  # without having shown it
    done = browser.post(there["Location"], {"code": totp()})
    page = browser.get(done["Location"]).content.decode()
    form = re.search(r'<form class="form" method="post" action="([^"]+/decision[^"]*)">', page)
    signed_request = re.search(r'name="signed_request" value="([^"]+)"', page)[1]
    answer = browser.post(
        unescape(form[1]), {"signed_request": signed_request, "decision": "allow", "scope": ["shipments:read"]}
    )
    assert told(flow, answer) == (TWO_FACTORS, ["pwd", "otp", "mfa"])
    assert returned(flow.open())["code"]  # shown once, it holds for the session


def test_answer_that_was_given_before_the_second_factor_counts_for_nothing(web, alice):
    browser = Browser()
    sign_in(browser, alice)
    flow = Flow(web, browser, acr_values=TWO_FACTORS)
    page = flow.open()
    TOTP.activate(alice, SECRET)
    form = re.search(r'action="([^"]+/decision[^"]*)"', page.content.decode())
    signed_request = re.search(r'name="signed_request" value="([^"]+)"', page.content.decode())[1]
    answer = browser.post(
        unescape(form[1]), {"signed_request": signed_request, "decision": "allow", "scope": ["shipments:read"]}
    )
    assert answer["Location"].startswith("/oauth2/authorize?")


@pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("wished", [f"{ONE_FACTOR} {TWO_FACTORS}", "urn:of:another", "", None])
def test_nothing_is_asked_where_one_factor_will_do(web, browser, wished):
    flow = Flow(web, browser, acr_values=wished)
    assert told(flow, flow.decide()) == (ONE_FACTOR, ["pwd"])


@pytest.mark.compliance("OpenID Connect Core", "3.1.2.1")
def test_whoever_has_no_second_factor_goes_on_and_the_token_says_so(web, alice):
    browser = Browser()
    sign_in(browser, alice)
    flow = Flow(web, browser, acr_values=TWO_FACTORS)
    assert told(flow, flow.decide()) == (ONE_FACTOR, ["pwd"])


def test_the_password_does_not_stand_in_for_it(web, browser):
    flow = Flow(web, browser, acr_values=TWO_FACTORS)
    there = flow.open()["Location"].replace("/2fa/", "/")
    assert browser.post(there, {"password": PASSWORD})["Location"].startswith("/account/2fa/reauthenticate/")
    assert flow.open()["Location"].startswith("/account/2fa/reauthenticate/")


def test_nobody_is_asked_where_the_client_forbids_it(web, browser):
    Flow(web, browser).code()
    flow = Flow(web, browser, acr_values=TWO_FACTORS, prompt="none")
    assert told(flow, flow.open()) == (ONE_FACTOR, ["pwd"])


@pytest.mark.compliance("OpenID Connect Registration", "2")
def test_client_may_register_what_it_would_like(web, browser):
    web.client.default_acr_values = [TWO_FACTORS]
    web.client.save()
    assert Flow(web, browser).open()["Location"].startswith("/account/2fa/reauthenticate/")
    assert Flow(web, browser, acr_values=ONE_FACTOR).open().status_code == 200


@pytest.mark.compliance("OpenID Connect Discovery", "3")
def test_discovery_names_the_classes(client):
    assert client.get("/.well-known/openid-configuration").json()["acr_values_supported"] == list(ACR_VALUES)


@pytest.mark.compliance("RFC 8176", "2")
@pytest.mark.parametrize(
    ("records", "methods"),
    [
        ([{"method": "password"}], ("pwd",)),
        ([{"method": "code", "email": "a@b.example"}], ("otp",)),
        ([{"method": "password"}, {"method": "mfa", "type": "totp"}], ("pwd", "otp", "mfa")),
        ([{"method": "password"}, {"method": "mfa", "type": "webauthn"}], ("pwd", "pop", "mfa")),
        ([{"method": "code"}, {"method": "mfa", "type": "recovery_codes"}], ("otp", "mfa")),
        ([{"method": "mfa", "type": "webauthn", "passwordless": True}], ("pop", "mfa")),  # it verified its owner
        ([{"method": "socialaccount", "provider": "x"}], ()),
    ],
    ids=str,
)
def test_methods_have_their_registered_names(records, methods):
    assert amr_values([record | {"at": time.time()} for record in records]) == methods
