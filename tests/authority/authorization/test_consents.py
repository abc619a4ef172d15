"""What people allowed is remembered, and theirs to take back."""

from html import escape
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.test import Client as Browser
from django.utils import timezone

from authority.models import Consent, SignIn
from clients.models import SelfRegistration
from consumers.models import Event
from tests.authority.authorization.test_oidc_core_prompt import sign_in
from tests.authority.flows import Flow, returned

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(browser_of, alice):
    return browser_of(alice)


def is_asked(flow):
    answer = flow.open()
    return answer.status_code == 200


def test_same_or_less_is_not_asked_again_and_more_is(web, browser):
    Flow(web, browser, scope="openid email shipments:read").code()
    assert not is_asked(Flow(web, browser, scope="openid email shipments:read"))
    assert not is_asked(Flow(web, browser, scope="openid"))
    assert is_asked(Flow(web, browser, scope="openid shipments:read shipments:write"))


@pytest.mark.compliance("OpenID Connect Core", "4")
@pytest.mark.parametrize(
    ("uri", "joint"), [("https://app.example.com/begin", "?"), ("https://app.example.com/?at=1", "&")]
)
def test_person_opens_an_app_where_it_begins_a_sign_in(web, browser, settings, uri, joint):
    Flow(web, browser).code()
    assert ">Open<" not in browser.get("/account/apps/").text
    web.client.initiate_login_uri = uri
    web.client.save()
    address = escape(f"{uri}{joint}iss={quote(settings.ISSUER, safe='')}")
    assert f'href="{address}"' in browser.get("/account/apps/").text
    web.client.disabled_at = timezone.now()
    web.client.save()
    assert ">Open<" not in browser.get("/account/apps/").text


def test_what_was_unticked_is_asked_again(web, browser):
    returned(Flow(web, browser).decide(scope=()))
    assert is_asked(Flow(web, browser))
    assert not is_asked(Flow(web, browser, scope="openid"))


def test_refusal_is_not_remembered_and_takes_nothing_back(web, browser):
    Flow(web, browser).code()
    assert returned(Flow(web, browser, prompt="consent").decide("deny"))["error"] == "access_denied"
    assert not is_asked(Flow(web, browser))


def test_resource_beyond_the_scopes_is_asked_for(web, browser):
    web.client.audience = ["https://legacy.example/api"]
    web.client.save()
    Flow(web, browser).code()
    beyond = Flow(web, browser, scope="openid", resource="https://legacy.example/api")
    assert b"https://legacy.example/api" in beyond.open().content
    beyond.code()
    assert not is_asked(beyond)
    page = browser.get("/account/apps/").content.decode()
    assert "Know who you are, Read shipments, https://legacy.example/api" in page


@pytest.mark.compliance("RFC 8252", "8.6")
@pytest.mark.parametrize("uri", ["http://127.0.0.1/back", "com.example.app:/back"])
def test_public_app_on_the_device_is_asked_for_every_time(spa, browser, uri):
    spa.client.redirect_uris = [uri]
    spa.client.skip_consent = True
    spa.client.save()
    flow = Flow(spa, browser, redirect_uri=uri, scope="openid")
    assert flow.decide().status_code == 303
    assert is_asked(flow)
    assert b"We ask each time" in flow.open().content
    silent = Flow(spa, browser, redirect_uri=uri, scope="openid", prompt="none").open()
    assert "error=consent_required" in silent["Location"]


def test_public_app_in_the_browser_is_remembered(spa, browser):
    Flow(spa, browser, scope="openid").code()
    assert not is_asked(Flow(spa, browser, scope="openid"))


def test_client_that_registered_itself_is_asked_for_every_time(web, browser):
    registration = SelfRegistration(client=web.client)
    registration.save()
    web.client.skip_consent = True
    web.client.save()
    Flow(web, browser).code()
    assert is_asked(Flow(web, browser))


def test_operators_may_vouch_for_a_client(web, browser):
    web.client.skip_consent = True
    web.client.save()
    assert not is_asked(Flow(web, browser))
    assert is_asked(Flow(web, browser, prompt="consent"))
    assert Consent.objects.filter(client=web.client).exists()  # for the person to see, and to take back


def test_page_lists_what_one_allowed_and_nobody_elses(web, browser, bob):
    Flow(web, browser, scope="openid email shipments:read").code()
    page = browser.get("/account/apps/").content.decode()
    assert "Dispatch board" in page
    assert "Email, Read shipments" in page
    browser.force_login(bob, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "You haven’t authorized any apps" in browser.get("/account/apps/").content.decode()
    assert browser.post(f"/account/apps/{Consent.objects.get().pk}/").status_code == 404
    assert Consent.objects.exists()


def test_taking_it_back_ends_every_code_and_token(web, browser, alice):
    flow = Flow(web, browser)
    first, second, code = flow.tokens(), flow.tokens(), flow.code()
    address = f"/account/apps/{Consent.objects.get().pk}/"
    assert browser.get(address).status_code == 200
    assert Consent.objects.exists()
    assert browser.post(address).status_code == 302
    for tokens in (first, second):
        assert web.introspect(tokens["access_token"]) == {"active": False}
        assert flow.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.exchange(code).json()["error"] == "invalid_grant"
    assert is_asked(flow)
    assert list(Event.objects.filter(name__startswith="consent.").values_list("name", flat=True)) == [
        *("consent.revoked", "consent.granted")
    ]


# -- The way back from the sign-in page -------------------------------------------------------------------------------


def test_after_the_sign_in_page_a_page_of_ours_leads_on(web, alice):
    """Browsers hold the redirects of a form against the form-action of its page, which allows no other origin."""
    browser = Browser()
    sign_in(browser, alice)
    Flow(web, browser).code()
    browser.logout()
    there = Flow(web, browser).open()
    sign_in(browser, alice)
    page = browser.get(parse_qs(urlsplit(there["Location"]).query)["next"][0])
    assert page.status_code == 200
    assert page["Referrer-Policy"] == "no-referrer"
    assert returned(page)["code"]
    assert SignIn.objects.count() == 2
