"""Signing out of the provider's own login (OpenID Connect RP-Initiated Logout, and Ory's logout challenge)."""

import re
from html import unescape

import pytest
from django.conf import settings
from django.test import Client as Browser

from authority.models import Challenge, LoginSession, LogoutNotice
from tests.authority.flows import Flow, returned
from tests.authority.own_login import LOGIN, LOGOUT, challenge_of, path_of

pytestmark = pytest.mark.django_db
GONE = "https://app.example.com/signed-out"


@pytest.fixture
def leaving(own, login):
    """A person whom the login has signed in, with the ID token of a client that wants to hear of it."""
    own.program.client.backchannel_logout_uri = "https://app.example.com/backchannel"
    own.program.client.save()
    code = returned(login.sign_in(own, {"remember": True}))["code"]
    own.hint = own.exchange(code).json()["id_token"]
    return own


def logout(flow, browser=None, **parameters):
    return (browser or flow.browser).get("/oauth2/logout", parameters)


def confirm(flow, page):
    action = re.search(r'action="(/oauth2/logout/decision[^"]*)"', page.content.decode())[1]
    return flow.browser.post(unescape(action))


def test_login_is_asked_and_the_session_ends_with_its_answer(leaving, login):
    there = logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=GONE, state="s p")
    challenge = challenge_of(there, LOGOUT)
    session = LoginSession.objects.get()
    asked = login.request("logout", challenge).json()
    assert (asked["subject"], asked["sid"], asked["rp_initiated"]) == ("user-4711", str(session.pk), True)
    assert asked["client"]["client_id"] == leaving.program.client.client_id
    assert asked["requested_at"] < asked["expires_at"]
    assert path_of(asked["request_url"]).startswith("/oauth2/logout?id_token_hint=")
    accepted = login.answer("logout", "accept", challenge)
    assert accepted.status_code == 200
    assert login.answer("logout", "accept", challenge).status_code == 410
    assert LoginSession.objects.exists(), "until the browser is back"
    back = path_of(accepted.json()["redirect_to"])
    assert logout(leaving, Browser(), logout_verifier="cdcv_nothing").status_code == 400
    assert Browser().get(back).status_code == 400, "in another browser"
    assert LoginSession.objects.exists()
    gone = leaving.browser.get(back)
    assert (gone.status_code, gone["Location"]) == (303, f"{GONE}?state=s+p")
    assert leaving.browser.cookies[settings.LOGIN_COOKIE_NAME].value == ""
    assert not LoginSession.objects.exists()
    assert [(each.subject, each.sid) for each in LogoutNotice.objects.all()] == [("user-4711", str(session.pk))]
    assert leaving.browser.get(back).status_code == 400, "once"


def test_login_may_leave_the_person_signed_in(leaving, login):
    challenge = challenge_of(logout(leaving, id_token_hint=leaving.hint), LOGOUT)
    assert login.answer("logout", "reject", challenge).status_code == 204
    assert login.answer("logout", "reject", challenge).status_code == 410
    assert LoginSession.objects.exists()
    login.request("logout", challenge_of(logout(leaving), LOGOUT))
    second = challenge_of(logout(leaving), LOGOUT)
    asked = login.request("logout", second).json()
    assert (asked["client"], asked["rp_initiated"]) == (None, False)
    assert Challenge.objects.filter(kind="logout", answered_at=None).count() == 1


def test_verifier_is_of_its_own_request(leaving, login):
    challenge = challenge_of(logout(leaving), LOGOUT)
    verifier = login.answer("logout", "accept", challenge).json()["redirect_to"].rpartition("=")[2]
    elsewhere = logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=GONE, logout_verifier=verifier)
    assert elsewhere.status_code == 400
    assert LoginSession.objects.exists()


def test_without_an_address_of_the_login_a_genuine_hint_signs_out_at_once(leaving, own_api):
    own_api.logout_url = ""
    own_api.save()
    assert logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=GONE)["Location"] == GONE
    assert not LoginSession.objects.exists()


def test_without_an_address_and_a_hint_the_person_is_asked_here(leaving, own_api):
    own_api.logout_url = ""
    own_api.save()
    page = logout(leaving, client_id=leaving.program.client.client_id, post_logout_redirect_uri=GONE)
    assert b"Sign out?" in page.content
    assert LoginSession.objects.exists()
    assert Browser(enforce_csrf_checks=True).post("/oauth2/logout/decision?session=login").status_code == 403
    assert confirm(leaving, page)["Location"] == GONE
    assert not LoginSession.objects.exists()
    done = logout(leaving, id_token_hint=leaving.hint)  # a second time: nothing is left to end
    assert b"You are signed out" in done.content


def test_operators_may_vouch_for_a_client_that_then_asks_nobody(leaving):
    leaving.program.client.skip_logout_consent = True
    leaving.program.client.save()
    assert logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=GONE)["Location"] == GONE
    assert not LoginSession.objects.exists()


def test_hint_of_another_person_asks_too(leaving, login, own_api):
    own_api.logout_url = ""
    own_api.save()
    other = Flow(leaving.program, Browser())
    login.sign_in(other, {"subject": "somebody-else", "remember": True})
    assert b"Sign out?" in logout(leaving, other.browser, id_token_hint=leaving.hint).content
    assert LoginSession.objects.count() == 2


def test_sign_in_to_the_portal_and_that_by_the_login_end_apart(leaving, login, own_api, browser_of, alice):
    own_api.logout_url = ""
    own_api.save()
    question = logout(leaving)  # about the login's session, before Alice signs in to the portal in another tab
    browser_of(alice)
    confirm(leaving, question)
    assert leaving.browser.session["_auth_user_id"] == str(alice.pk)
    assert not LoginSession.objects.exists()
    login.begin(leaving, remember=True)
    assert logout(leaving, id_token_hint=leaving.hint, post_logout_redirect_uri=GONE)["Location"] == GONE
    assert leaving.browser.session["_auth_user_id"] == str(alice.pk)
    login.begin(leaving, remember=True)
    confirm(leaving, logout(leaving))  # without a hint, of whoever is signed in to the portal
    assert "_auth_user_id" not in leaving.browser.session
    assert login.request("login", challenge_of(leaving.open(), LOGIN)).json()["skip"], "the login's session goes on"
