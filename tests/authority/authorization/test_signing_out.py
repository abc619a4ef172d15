"""Signing out everywhere ends whatever acts as the person, and nothing of anybody else."""

import pytest
from django.test import Client as Browser

from authority.authorization.signing_out import Access
from authority.models import Consent, DeviceRequest
from consumers.models import Event
from tests.authority.conftest import management_token
from tests.authority.flows import Flow
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

PAGE = "/account/sessions/everywhere/"
API = "/admin/clients"


@pytest.fixture
def web(web):
    """Its tokens outlive the session in which somebody signed in."""
    web.client.scopes = [*web.client.scopes, "offline_access"]
    web.client.save()
    return web


def signed_in_browser(person):
    """Return a browser whose session the list of sessions knows."""
    browser = Browser()
    browser.post("/account/login/", {"login": person.email, "password": PASSWORD})
    return browser


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_sessions_tokens_and_apps_end_and_this_session_stays(web, alice, bob):
    here, elsewhere, other = signed_in_browser(alice), signed_in_browser(alice), signed_in_browser(bob)
    tokens = Flow(web, here, scope="openid offline_access shipments:read").tokens()
    mine, of_bob = management_token(alice, scopes=["clients:read"]), management_token(bob, scopes=["clients:read"])
    told = here.get(PAGE)
    assert told.context["access"] == Access(sessions=1, personal_tokens=1, apps=1)
    for words in ("Other sessions", "Programs that use them are refused", "They have to ask you again"):
        assert words in told.text
    assert here.post(PAGE)["Location"] == "/account/sessions/"

    assert here.get("/account/sessions/").status_code == 200
    assert elsewhere.get("/account/sessions/").status_code == 302
    assert here.get(API, headers=bearer(mine)).status_code == 401
    again = web.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert again.json()["error"] == "invalid_grant"
    assert web.introspect(tokens["access_token"]) == {"active": False}
    assert not Consent.objects.filter(user=alice).exists()
    event = Event.objects.get(name="person.signed_out")
    assert event.detail == {"sessions": 1, "personal_tokens": 1, "apps": 1}

    assert other.get("/account/sessions/").status_code == 200
    assert here.get(API, headers=bearer(of_bob)).status_code == 200


def test_an_app_that_needs_no_consent_and_a_device_end_too(web, alice):
    here = signed_in_browser(alice)
    web.client.skip_consent = True
    web.client.save()
    tokens = Flow(web, here, scope="openid offline_access").tokens()
    Consent.objects.all().delete()
    assert here.get(PAGE).context["access"].apps == 1
    here.post(PAGE)
    assert web.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 400
    assert not DeviceRequest.objects.filter(user=alice).exists()


def test_a_code_that_is_not_exchanged_yet_is_worth_nothing(web, alice):
    here = signed_in_browser(alice)
    flow = Flow(web, here)
    code = flow.code()
    here.post(PAGE)
    assert flow.exchange(code).json()["error"] == "invalid_grant"


def test_opening_the_page_ends_nothing(web, alice):
    here, elsewhere = signed_in_browser(alice), signed_in_browser(alice)
    here.get(PAGE)
    assert elsewhere.get("/account/sessions/").status_code == 200
    assert not Event.objects.filter(name="person.signed_out").exists()
