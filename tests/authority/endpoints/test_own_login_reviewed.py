"""What an attacker's reading of the provider's own login found, each with what holds since."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client as Browser

from authority.authorization import login_sessions
from authority.models import Consent, LoginSession, SignIn
from authority.people.roles import roles_of
from clients.models import Api, ApiRole
from consumers.models import User
from core import clock
from tests.authority.conftest import Program
from tests.authority.flows import Flow, returned
from tests.authority.own_login import CONSENT, LOGIN, challenge_of
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db


def test_roles_count_at_the_clients_of_the_consumer_for_which_they_were_said(own, login, own_api, acme, globex):
    ApiRole.objects.create(api=own_api, value="dispatcher", name="Dispatcher")
    login.sign_in(own, session={"access_token": {"roles": ["dispatcher"]}})
    person = User.objects.get(login_subject="user-4711")
    assert roles_of(person, acme.pk, own_api.identifier) == ["dispatcher"]
    assert roles_of(person, globex.pk, own_api.identifier) == []
    login.sign_in(own)
    assert roles_of(person, acme.pk, own_api.identifier) == ["dispatcher"], "it said nothing of them"
    login.sign_in(own, session={"id_token": {"locale": "de"}})
    assert roles_of(person, acme.pk, own_api.identifier) == []


@pytest.mark.parametrize(("amr", "goes_on"), [(["pwd"], False), ([], False), (["pwd", "otp", "mfa"], True)])
def test_two_factors_are_asked_of_the_login_too(own, login, own_api, amr, goes_on):
    Api.objects.filter(pk=own_api.pk).update(requires_two_factors=True)
    back = own.browser.get(login.accept_login(challenge_of(own.open(), LOGIN), amr=amr))
    if goes_on:
        assert challenge_of(own.browser.get(back["Location"]), CONSENT)
    else:
        assert returned(back)["error"] == "access_denied"
        assert not LoginSession.objects.exists()


def test_what_was_not_to_be_remembered_is_not_remembered_with_another_scope(own, login):
    asks = {"remember": True, "login": {"remember": True}}
    own.request["scope"] = "openid shipments:read"
    login.sign_in(own, grant_scope=["openid", "shipments:read"], remember=False, login=asks["login"])
    own.request["scope"] = "openid shipments:write"
    login.sign_in(own, grant_scope=["openid", "shipments:write"], remember=True)
    own.request["scope"] = "openid shipments:read"
    page = login.begin(own)
    assert not login.request("consent", challenge_of(page, CONSENT)).json()["skip"]
    assert Consent.objects.get().remembered_until <= clock.now()


def test_no_code_is_issued_from_a_session_that_has_ended(own, login, monkeypatch):
    page = login.begin(own)
    verified = login.accept_consent(challenge_of(page, CONSENT))
    is_live = login_sessions.is_live

    def end_first(session):
        LoginSession.objects.all().delete()  # by whoever is told to, at this very moment
        return is_live(session)

    monkeypatch.setattr(login_sessions, "is_live", end_first)
    assert returned(own.browser.get(verified))["error"] == "login_required"
    assert not SignIn.objects.exists()


def test_a_session_that_is_not_remembered_opens_no_page_of_the_person(own, login):
    login.begin(own)
    assert own.browser.get("/account/apps/").status_code == 302
    LoginSession.objects.update(is_remembered=True, expires_at=clock.now() + timedelta(hours=1))
    assert own.browser.get("/account/apps/").status_code == 200


@pytest.mark.parametrize("subject", ["https://app.example/client.json", "the client"])
def test_subject_is_no_clients_name(own, login, acme, subject):
    taken = ClientFactory(consumer=acme).client_id if subject == "the client" else subject
    refused = login.answer("login", "accept", challenge_of(own.open(), LOGIN), {"subject": taken})
    assert refused.status_code == 400
    assert "subject" in refused.json()["error_description"]


def test_logout_for_another_persons_token_is_not_the_clients_own(own, login, web):
    theirs = Flow(Program(web.client, web.secret), Browser())
    hint = theirs.exchange(returned(login.sign_in(theirs, login={"subject": "mallory"}))["code"]).json()["id_token"]
    login.sign_in(own, login={"remember": True})
    led = own.browser.get("/oauth2/logout", {"id_token_hint": hint})
    challenge = led["Location"].partition("logout_challenge=")[2]
    assert login.request("logout", challenge).json()["rp_initiated"] is False
    assert settings.LOGIN_COOKIE_NAME in own.browser.cookies
