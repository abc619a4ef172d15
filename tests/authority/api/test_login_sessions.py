"""What people allow clients, and sign-ins by the provider's own login: listed and ended by operators."""

from urllib.parse import quote

import pytest
from django.test import Client as Browser

from authority.models import Consent, LoginSession, LogoutNotice
from consumers.models import Event
from tests.authority.flows import Flow, returned
from tests.authority.own_login import LOGIN, challenge_of
from tests.factories import ClientFactory, give_secret

pytestmark = pytest.mark.django_db
CONSENTS, SESSIONS = "/admin/oauth2/auth/sessions/consent", "/admin/oauth2/auth/sessions/login"
SESSION = {"access_token": {"plan": "gold"}, "id_token": {"locale": "de"}}


@pytest.fixture
def signed_in(own, login):
    """A person who has signed in at a client, and allowed it for an hour."""
    own.program.client.backchannel_logout_uri = "https://app.example.com/backchannel"
    own.program.client.save()
    own.response = login.sign_in(
        own, {"remember": True, "amr": ["pwd"]}, session=SESSION, remember=True, remember_for=3600
    )
    return own


def test_consents_are_listed_as_ory_lists_them(signed_in, login, web):
    [listed] = login.program.get(f"{CONSENTS}?subject=user-4711").json()
    consent, session = Consent.objects.get(), LoginSession.objects.get()
    assert listed["grant_scope"] == ["openid", "shipments:read"]
    assert listed["session"] == SESSION
    assert (listed["remember"], listed["context"]) == (True, None)
    assert listed["remember_for"] in (3599, 3600)
    assert listed["consent_request_id"] == str(consent.pk)
    request = listed["consent_request"]
    assert (request["subject"], request["client"]["client_id"]) == ("user-4711", web.client.client_id)
    assert (request["login_session_id"], request["amr"]) == (str(session.pk), ["pwd"])
    assert "client_secret" not in request["client"]
    assert login.program.get(f"{CONSENTS}?subject=nobody").json() == []
    assert len(login.program.get(f"{CONSENTS}?subject=user-4711&login_session_id={session.pk}").json()) == 1
    assert login.program.get(f"{CONSENTS}?subject=user-4711&login_session_id=other").json() == []
    assert login.program.get(CONSENTS).status_code == 400


def test_consents_are_listed_page_by_page_in_as_many_queries(signed_in, login, acme, django_assert_max_num_queries):
    for _ in range(3):
        client = ClientFactory(consumer=acme, template="web", scopes=["openid", "shipments:read"])
        login.sign_in(Flow(type(signed_in.program)(client, give_secret(client)[1]), Browser()))
    with django_assert_max_num_queries(14):
        first = login.program.get(f"{CONSENTS}?subject=user-4711&page_size=3")
    assert len(first.json()) == 3
    following = first["Link"].split(",")[-1].split(">")[0].lstrip("<")
    assert len(login.program.get(following).json()) == 1


def test_revoking_a_consent_ends_tokens_and_is_an_event(signed_in, login, web, olga):
    tokens = signed_in.exchange(returned(signed_in.response)["code"]).json()
    assert login.program.delete(f"{CONSENTS}?subject=user-4711").status_code == 400
    assert login.program.delete(f"{CONSENTS}?client={web.client.client_id}").status_code == 400
    assert login.program.delete(f"{CONSENTS}?subject=nobody&all=true").status_code == 204
    assert login.program.delete(f"{CONSENTS}?subject=user-4711&client=cl_other").status_code == 204
    assert login.program.delete(f"{CONSENTS}?consent_request_id=x").status_code == 204
    assert Consent.objects.exists()
    one = quote(web.client.client_id)
    assert login.program.delete(f"{CONSENTS}?subject=user-4711&client={one}").status_code == 204
    assert not Consent.objects.exists()
    assert signed_in.program.introspect(tokens["access_token"])["active"] is False
    event = Event.objects.get(name="person.consents.revoked")
    assert (event.actor_id, event.detail) == (str(olga.pk), {"clients": [str(web.client)]})


def test_all_consents_or_one_by_its_id_can_be_revoked(signed_in, login):
    assert login.program.delete(f"{CONSENTS}?subject=user-4711&all=true").status_code == 204
    assert not Consent.objects.exists()
    login.sign_in(signed_in)
    assert login.program.delete(f"{CONSENTS}?consent_request_id={Consent.objects.get().pk}").status_code == 204
    assert not Consent.objects.exists()


@pytest.mark.parametrize("by", ["subject", "sid"])
def test_ending_a_session_signs_the_browser_out_and_tells_clients(signed_in, login, by):
    session = LoginSession.objects.get()
    named = {"subject": "user-4711", "sid": str(session.pk)}[by]
    for bad in ("", "?subject=a&sid=b"):
        assert login.program.delete(f"{SESSIONS}{bad}").status_code == 400
    for other in ("?subject=nobody", "?sid=nothing", "?sid=00000000-0000-4000-8000-000000000000"):
        assert login.program.delete(f"{SESSIONS}{other}").status_code == 204
    assert LoginSession.objects.exists()
    assert login.program.delete(f"{SESSIONS}?{by}={named}").status_code == 204
    assert not LoginSession.objects.exists()
    assert [(each.subject, each.sid) for each in LogoutNotice.objects.all()] == [("user-4711", str(session.pk))]
    assert Event.objects.get(name="person.login_sessions.ended").detail == {"sessions": 1}
    assert not login.request("login", challenge_of(signed_in.open(), LOGIN)).json()["skip"]


def test_sessions_of_the_portal_are_none_of_them(signed_in, login, browser_of, alice, program_of):
    browser = browser_of(alice)
    assert login.program.delete(f"{SESSIONS}?subject={alice.pk}").status_code == 204
    assert browser.get("/account/apps/").status_code == 200
    for path in (f"{SESSIONS}?subject=user-4711", f"{CONSENTS}?subject=user-4711&all=true"):
        assert program_of(alice).delete(path).status_code == 403
    assert LoginSession.objects.exists()
