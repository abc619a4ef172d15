"""Operators open nothing before they have used a second factor, and their sessions are short."""

import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from consumers.actions.personal_tokens import create_token
from consumers.models import User
from consumers.scopes import MANAGEMENT_SCOPES
from core.models import DemoMark
from tests.conftest import person
from tests.factories import PASSWORD, TOTP_SECRET, MembershipFactory, actor_for, app_code, record_methods, sign_in_to

pytestmark = pytest.mark.django_db

SET_UP = "/operators/security/"
MINUTE, HOUR = 60, 3600


@pytest.fixture
def otto(db):
    """An operator without a second factor."""
    return person("Otto Lang", "otto@provider.example", is_staff=True, is_superuser=True)


def by_password(user: User) -> Browser:
    browser = Browser()
    browser.post("/account/login/", {"login": user.email, "password": PASSWORD})
    return browser


def code_in(message):
    return re.search(r": ([A-Z0-9-]{6,})\n", message.body)[1]


def by_code(user: User) -> Browser:
    browser = Browser()
    browser.post("/account/login/code/", {"email": user.email})
    browser.post("/account/login/code/confirm/", {"code": code_in(mail.outbox[-1])})
    return browser


# -- Without one ------------------------------------------------------------------------------------------------------

PAGES = ["/", "/consumers/", "/consumers/acme/", "/consumers/acme/clients/", "/account/tokens/", "/account/name/"]
PAGES += ["/account/email/", "/account/sessions/", "/account/2fa/", "/device", "/operators/", "/operators/inspect/"]
PAGES += ["/oauth2/authorize?client_id=x", "/operators/consumers/user/", "/account/apps/"]


def test_every_page_leads_to_setting_one_up(otto, acme):
    MembershipFactory(consumer=acme, user=otto)
    browser = by_password(otto)
    assert {page: browser.get(page)["Location"] for page in PAGES} == dict.fromkeys(PAGES, SET_UP)


def test_no_form_is_carried_out(otto, acme):
    browser = by_password(otto)
    answer = browser.post(reverse("admin:consumers_consumer_action", args=[acme.pk, "suspend"]))
    assert answer["Location"] == SET_UP
    acme.refresh_from_db()
    assert not acme.is_suspended


def test_the_page_says_why_and_leads_on_and_lets_one_sign_out(otto):
    browser = by_password(otto)
    page = browser.get(SET_UP).content.decode()
    assert "Operators can change everything" in page
    assert reverse("mfa_add_webauthn") in page
    assert reverse("mfa_activate_totp") in page
    assert reverse("admin:index") + "consumers" not in page  # no navigation
    assert browser.get(reverse("mfa_add_webauthn")).status_code == 200
    browser.post("/operators/logout/")
    assert "_auth_user_id" not in browser.session


@pytest.mark.django_db(transaction=True)
def test_setting_one_up_opens_the_pages(otto):
    """As the first operator does after `createsuperuser`: the sign-in is recent, so nothing is asked again."""
    browser = by_password(otto)
    page = browser.get("/account/2fa/totp/activate/").content.decode()
    secret = re.search(r"secret=([A-Z2-7]+)|value=\"([A-Z2-7]{16,})\"", page)
    answer = browser.post("/account/2fa/totp/activate/", {"code": app_code(secret[1] or secret[2])})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    assert "I have saved them" in browser.get(answer["Location"]).content.decode()
    assert browser.get("/operators/").status_code == 200
    assert browser.get(SET_UP)["Location"] == "/operators/"


def test_a_session_older_than_fifteen_minutes_confirms_first(otto, time_machine):
    time_machine.move_to(timezone.now())
    browser = by_password(otto)
    time_machine.shift(14 * MINUTE)
    assert browser.get("/account/2fa/totp/activate/").status_code == 200
    time_machine.shift(2 * MINUTE)
    assert "first confirm" in browser.get(SET_UP).content.decode()
    for page in ("/account/2fa/totp/activate/", "/account/2fa/webauthn/add/"):
        assert browser.get(page)["Location"].startswith("/account/reauthenticate/")
        assert browser.post(page, {"code": "123456"})["Location"].startswith("/account/reauthenticate/")
    assert not Authenticator.objects.exists()


def test_who_becomes_an_operator_meets_it_at_the_next_request(alice, acme):
    browser = by_password(alice)
    assert browser.get("/consumers/acme/").status_code == 200
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert browser.get("/consumers/acme/")["Location"] == SET_UP


def test_who_removes_the_last_one_meets_it_at_the_next_request(olga, browser_of):
    browser = browser_of(olga)
    assert browser.get("/operators/").status_code == 200
    Authenticator.objects.all().delete()
    assert browser.get("/operators/")["Location"] == SET_UP


def test_recovery_codes_alone_are_no_second_factor(otto):
    RecoveryCodes.activate(otto)
    assert by_password(otto).get("/operators/")["Location"] == SET_UP


def test_others_are_not_asked(alice, acme):
    browser = by_password(alice)
    assert browser.get("/consumers/acme/").status_code == 200
    assert browser.get(SET_UP).status_code == 403


def test_a_stranger_signs_in_first(client, db):
    assert client.get(SET_UP)["Location"] == "/account/login/?next=/operators/"


# -- With one that was not used ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign_in", [by_password, by_code])
def test_every_way_in_asks_for_it(olga, sign_in):
    browser = sign_in(olga)
    assert "_auth_user_id" not in browser.session
    assert browser.get("/operators/").status_code == 302
    browser.post("/account/2fa/authenticate/", {"code": app_code()})
    assert browser.get("/operators/").status_code == 200


def test_a_recovery_code_counts(olga):
    code = RecoveryCodes.activate(olga).get_unused_codes()[0]
    browser = by_password(olga)
    browser.post("/account/2fa/authenticate/", {"code": code})
    assert browser.get("/operators/").status_code == 200


def test_resetting_the_password_does_not_go_round_it(olga):
    browser = Browser()
    browser.post("/account/password/reset/", {"email": olga.email})
    browser.post("/account/password/reset/confirm/", {"code": code_in(mail.outbox[-1])})
    new = "another long pass phrase"
    browser.post("/account/password/reset/complete/", {"password1": new, "password2": new})
    olga.refresh_from_db()
    assert olga.check_password(new)
    assert "_auth_user_id" not in browser.session
    browser.post("/account/login/", {"login": olga.email, "password": new})
    assert "_auth_user_id" not in browser.session
    assert Authenticator.objects.filter(user=olga).exists()


def test_an_invitation_does_not_go_round_it(olga, invite):
    _, token = invite(email=olga.email)
    browser = Browser()
    browser.post(f"/invitations/{token}/", {"name": "Olga"})
    assert "_auth_user_id" not in browser.session


def test_a_session_from_before_the_factor_uses_it_first(otto):
    """Whoever sits at a session by password does not profit from the factor being set up in another."""
    old = by_password(otto)
    TOTP.activate(otto, TOTP_SECRET)
    answer = old.get("/operators/consumers/user/")
    assert answer["Location"] == "/account/2fa/reauthenticate/?next=%2Foperators%2Fconsumers%2Fuser%2F"
    assert "code" in old.get(answer["Location"]).content.decode()
    answer = old.post("/account/2fa/reauthenticate/", {"code": app_code(), "next": "/operators/consumers/user/"})
    assert answer["Location"] == "/operators/consumers/user/"
    assert old.get("/operators/consumers/user/").status_code == 200


@pytest.mark.parametrize("page", ["/account/reauthenticate/", "/account/reauthenticate/code/"])
def test_neither_password_nor_code_reauthenticate_who_holds_one(otto, page):
    old = by_password(otto)
    TOTP.activate(otto, TOTP_SECRET)
    sent = len(mail.outbox)
    for form in ({"password": PASSWORD}, {"action": "send"}):
        assert old.post(page, form)["Location"].startswith("/account/2fa/reauthenticate/")
    assert len(mail.outbox) == sent
    assert old.get("/operators/")["Location"].startswith("/account/2fa/reauthenticate/")


# -- Programs ---------------------------------------------------------------------------------------------------------


def call(path: str, token: str):
    return Browser().get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def token_of(db):
    def create(user):
        expires_at = timezone.now() + timedelta(days=1)
        return create_token(
            user=user, name="Test", scopes=MANAGEMENT_SCOPES, expires_at=expires_at, actor=actor_for(user)
        )[1]

    return create


def test_a_token_has_its_owners_rights_as_operator_only_while_they_hold_one(otto, acme, globex, token_of):
    token = token_of(otto)
    assert call("/admin/consumers", token).json() == []
    TOTP.activate(otto, TOTP_SECRET)
    assert len(call("/admin/consumers", token).json()) == 2
    Authenticator.objects.all().delete()
    assert call("/admin/consumers", token).json() == []


def test_what_an_operator_may_as_a_member_stays(otto, acme, globex, token_of):
    MembershipFactory(consumer=acme, user=otto)
    assert [each["slug"] for each in call("/admin/consumers", token_of(otto)).json()] == ["acme"]


# -- The demo ---------------------------------------------------------------------------------------------------------


def test_the_demo_lets_its_operator_in_by_password_and_says_so(otto):
    DemoMark.objects.create()
    page = by_password(otto).get("/operators/").content.decode()
    assert "This is the demo" in page
    assert SET_UP in page
    assert "This is the demo" in by_password(otto).get(SET_UP).content.decode()


@pytest.mark.parametrize(("is_demo_server", "is_demo_database"), [(False, True), (True, False), (False, False)])
def test_server_and_database_must_both_be_the_demos(otto, settings, is_demo_server, is_demo_database, token_of, acme):
    settings.DEMO = is_demo_server
    if is_demo_database:
        DemoMark.objects.create()
    assert by_password(otto).get("/operators/")["Location"] == SET_UP
    assert call("/admin/consumers", token_of(otto)).json() == []


def test_the_overview_of_a_production_server_does_not_speak_of_the_demo(olga, browser_of):
    assert "This is the demo" not in browser_of(olga).get("/operators/").content.decode()


# -- Short sessions ---------------------------------------------------------------------------------------------------


def test_a_session_ends_after_half_an_hour_without_requests(olga, time_machine):
    time_machine.move_to(timezone.now())
    browser = Browser()
    sign_in_to(browser, olga)
    for _ in range(3):
        assert browser.get("/operators/").status_code == 200
        time_machine.shift(29 * MINUTE)
    assert browser.get("/operators/").status_code == 200
    assert browser.cookies["session"]["max-age"] <= 30 * MINUTE
    time_machine.shift(31 * MINUTE)
    assert browser.get("/operators/").status_code == 302
    assert browser.get("/consumers/")["Location"] == "/account/login/?next=/consumers/"


def test_a_session_ends_twelve_hours_after_the_sign_in(olga, browser_of, settings, time_machine):
    time_machine.move_to(timezone.now())
    settings.OPERATOR_SESSION_IDLE = 5 * HOUR
    browser = browser_of(olga)
    for _ in range(3):  # at 0:00, 4:00 and 8:00
        assert browser.get("/operators/").status_code == 200
        time_machine.shift(4 * HOUR - 1)
    assert browser.get("/operators/").status_code == 200
    time_machine.shift(4)
    assert browser.get("/operators/").status_code == 302


def test_the_sign_in_itself_shortens_the_session(olga, time_machine):
    """Nobody need come back for that: a cookie that is stolen later opens nothing."""
    time_machine.move_to(timezone.now())
    browser = by_password(olga)
    browser.post("/account/2fa/authenticate/", {"code": app_code()})
    time_machine.shift(31 * MINUTE)
    assert not Session.objects.filter(pk=browser.session.session_key, expire_date__gt=timezone.now()).exists()


def test_requests_in_the_same_minute_write_no_session(olga, browser_of, django_assert_num_queries):
    browser = browser_of(olga)
    browser.get(SET_UP)
    with django_assert_num_queries(3) as said:  # session, person, factor
        browser.get(SET_UP)
    assert not any(query["sql"].startswith("UPDATE") for query in said.captured_queries)


def test_sessions_of_others_stay_as_long_as_before(alice, acme, time_machine):
    time_machine.move_to(timezone.now())
    browser = by_password(alice)
    time_machine.shift(13 * 24 * HOUR)
    assert browser.get("/consumers/acme/").status_code == 200


def test_an_old_session_of_a_new_operator_ends_at_once(alice, acme):
    browser = by_password(alice)
    record_methods(browser, alice, "password", age=13 * HOUR)
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    assert browser.get("/consumers/acme/")["Location"].startswith("/account/login/")
    assert "_auth_user_id" not in browser.session


def test_a_session_whose_sign_in_is_unknown_ends(olga, client):
    client.force_login(olga, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/operators/")["Location"].startswith("/account/login/")
