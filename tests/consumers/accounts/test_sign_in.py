"""How people come in by django-allauth, and how nobody else does."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client as Browser
from django.utils import timezone

from consumers.models import Membership, User
from tests.factories import PASSWORD, record_methods, sign_in_to

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def ask_for_code(browser, email, **extra):
    return browser.post("/account/login/code/", {"email": email}, **extra)


def code_in(message):
    return re.search(r"code: ([A-Z]{4}-[A-Z]{4})", message.body)[1]


def signed_in(browser):
    return browser.session.get("_auth_user_id")


def test_a_code_by_email_signs_in(client, alice):
    assert ask_for_code(client, alice.email)["Location"].startswith("/account/login/code/confirm/")
    message = mail.outbox[-1]
    assert message.to == [alice.email]
    assert message.alternatives
    page = client.get("/account/login/code/confirm/")
    assert alice.email in page.content.decode()
    code = code_in(message)
    assert code not in page.content.decode()
    session_before = client.session.session_key
    answer = client.post("/account/login/code/confirm/", {"code": code.replace("-", " ")})
    assert answer["Location"] == "/"
    assert signed_in(client) == str(alice.pk)
    assert client.session.session_key != session_before


def test_a_code_dies_after_three_wrong_tries(client, alice):
    ask_for_code(client, alice.email)
    code = code_in(mail.outbox[-1])
    for _ in range(3):
        client.post("/account/login/code/confirm/", {"code": "BBBB-BBBB" if code != "BBBB-BBBB" else "CCCC-CCCC"})
    client.post("/account/login/code/confirm/", {"code": code})
    assert not signed_in(client)


def test_a_code_works_in_the_browser_that_asked_for_it_alone(client, alice):
    ask_for_code(client, alice.email)
    thief = Browser()
    ask_for_code(thief, "somebody@else.example")
    thief.post("/account/login/code/confirm/", {"code": code_in(mail.outbox[0])})
    assert not signed_in(thief)


def test_a_new_code_ends_the_old_one(client, alice):
    ask_for_code(client, alice.email)
    old = code_in(mail.outbox[-1])
    client.post("/account/login/code/confirm/", {"action": "resend"})
    new = code_in(mail.outbox[-1])
    client.post("/account/login/code/confirm/", {"code": old})
    assert signed_in(client) == (str(alice.pk) if old == new else None)
    client.post("/account/login/code/confirm/", {"code": new})
    assert signed_in(client) == str(alice.pk)


def test_a_code_ends_after_ten_minutes(client, alice, time_machine):
    time_machine.move_to(timezone.now())
    ask_for_code(client, alice.email)
    time_machine.shift(601)
    client.post("/account/login/code/confirm/", {"code": code_in(mail.outbox[-1])})
    assert not signed_in(client)


def test_known_and_unknown_addresses_get_the_same_answer(alice):
    answers = set()
    for email in (alice.email, "nobody@acme.example"):
        browser = Browser()
        first = ask_for_code(browser, email)
        second = browser.get("/account/login/code/confirm/").content.decode()
        text = re.sub(r"csrfmiddlewaretoken\S+ value=\S+|req_\w+", "", second).replace(email, "EMAIL")
        answers.add((first.status_code, first["Location"], text))
    assert len(answers) == 1
    unknown = mail.outbox[-1]
    assert unknown.to == ["nobody@acme.example"]
    assert "There is no account for this address" in unknown.body
    assert not re.search(r"[A-Z]{4}-[A-Z]{4}", unknown.body)
    assert not User.objects.filter(email="nobody@acme.example").exists()


def test_password_reset_tells_nobody_whether_there_is_an_account(alice):
    answers = set()
    for email in (alice.email, "nobody@acme.example"):
        browser = Browser()
        first = browser.post("/account/password/reset/", {"email": email})
        second = browser.get(first["Location"]).content.decode()
        text = re.sub(r"csrfmiddlewaretoken\S+ value=\S+|req_\w+", "", second).replace(email, "EMAIL")
        answers.add((first.status_code, first["Location"], text))
    assert len(answers) == 1
    assert [message.to for message in mail.outbox] == [[alice.email], ["nobody@acme.example"]]


@pytest.mark.parametrize("path", ["/account/signup/", "/account/signup/passkey/", "/account/2fa/webauthn/signup/"])
def test_nobody_signs_up(client, db, path):
    for answer in (client.get(path), client.post(path, {"email": "eve@evil.example", "password1": PASSWORD})):
        assert answer.status_code in (200, 404)
    assert not User.objects.filter(email="eve@evil.example").exists()
    assert "invitation" in client.get("/account/signup/").content.decode()


def test_a_password_signs_in(client, alice):
    answer = client.post("/account/login/", {"login": alice.email.upper(), "password": PASSWORD})
    assert answer["Location"] == "/"
    assert signed_in(client) == str(alice.pk)


def test_a_wrong_password_keeps_the_address_and_says_so(client, alice):
    page = client.post("/account/login/", {"login": alice.email, "password": "wrong"}).content.decode()
    assert "do not belong together" in page
    assert f'value="{alice.email}"' in page
    assert '<details class="disclosure" open>' in " ".join(page.split())
    assert "wrong" not in page


@pytest.mark.parametrize("way", ["code", "password"])
def test_a_deactivated_person_does_not_come_in(client, alice, way):
    alice.is_active = False
    alice.save()
    if way == "password":
        client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    else:
        ask_for_code(client, alice.email)
        assert "There is no account" in mail.outbox[-1].body
    assert not signed_in(client)


def test_an_authenticator_app_is_asked_for_after_the_code(client, alice):
    TOTP.activate(alice, SECRET)
    ask_for_code(client, alice.email)
    answer = client.post("/account/login/code/confirm/", {"code": code_in(mail.outbox[-1])})
    assert answer["Location"] == "/account/2fa/authenticate/"
    assert not signed_in(client)
    assert "Second factor" in client.get("/account/2fa/authenticate/").content.decode()
    counter = next(iter(yield_hotp_counters_from_time()))
    client.post("/account/2fa/authenticate/", {"code": format_hotp_value(hotp_value(SECRET, counter))})
    assert signed_in(client) == str(alice.pk)


def test_a_recovery_code_works_once(alice):
    TOTP.activate(alice, SECRET)
    code = RecoveryCodes.activate(alice).get_unused_codes()[0]
    came_in = []
    for _ in range(2):
        browser = Browser()
        browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
        browser.post("/account/2fa/authenticate/", {"code": code})
        came_in.append(bool(signed_in(browser)))
    assert came_in == [True, False]


def test_what_makes_codes_rests_encrypted(alice):
    TOTP.activate(alice, SECRET)
    recovery = RecoveryCodes.activate(alice)
    rows = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert SECRET not in rows
    assert recovery.instance.data["seed"] not in (None, "")
    assert not any(code in rows for code in recovery.get_unused_codes())


def test_sessions_are_encrypted_at_rest(client, alice):
    """A dump of the database must not tell the code of whoever is signing in."""
    ask_for_code(client, alice.email)
    code = code_in(mail.outbox[-1])
    assert client.session["account_login"]["state"]["stages"]["login_by_code"]["data"]["code"] == code
    (row,) = Session.objects.values_list("session_data", flat=True)
    assert "login" not in row
    assert code not in row


def test_a_session_that_cannot_be_opened_is_an_ended_one(browser_of, alice):
    browser = browser_of(alice)
    Session.objects.update(session_data="nonsense")
    assert browser.get("/consumers/")["Location"].startswith("/account/login/")


def test_touching_the_account_after_a_while_asks_who_it_is(client, alice, time_machine):
    time_machine.move_to(timezone.now())
    client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    time_machine.shift(901)
    answer = client.get("/account/2fa/totp/activate/")
    assert answer["Location"].startswith("/account/reauthenticate/")
    page = client.get(answer["Location"]).content.decode()
    assert "Confirm it’s you" in page
    answer = client.post("/account/reauthenticate/", {"password": PASSWORD, "next": "/account/2fa/totp/activate/"})
    page = client.get(answer["Location"]).content.decode()
    assert "<svg" in page.split('class="qr"')[1][:300]
    assert "data:image" not in page


def test_an_address_is_added_after_its_code_and_its_owner_is_told(client, alice):
    client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    client.post("/account/email/", {"action_add": "", "email": "alice@new.example"})
    assert mail.outbox[-1].to == ["alice@new.example"]
    assert not EmailAddress.objects.filter(email="alice@new.example").exists()
    client.post("/account/confirm-email/", {"code": code_in_any(mail.outbox[-1])})
    assert EmailAddress.objects.get(email="alice@new.example").verified


def code_in_any(message):
    return re.search(r": ([A-Z0-9-]{6,})\n", message.body)[1]


def test_a_new_browser_is_told_by_mail_and_a_known_one_is_not(alice):
    alice.last_login = timezone.now()
    alice.save()
    browser = Browser(headers={"User-Agent": FIREFOX})
    for _ in range(2):
        browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
        browser.post("/account/logout/")
    (message,) = mail.outbox
    assert message.subject == "New sign-in to Clientdesk from Firefox on Linux"
    assert "127.0.0.1" in message.body
    cookie = browser.cookies["known"]
    assert cookie["httponly"]
    assert str(alice.pk) not in cookie.value


def test_the_very_first_sign_in_is_no_news(client, alice):
    client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    assert mail.outbox == []


def test_changing_the_password_tells_its_owner(client, alice):
    client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    new = "another long pass phrase"
    client.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert mail.outbox[-1].subject == "Your password was changed"
    assert new not in mail.outbox[-1].body


def test_changing_the_password_ends_every_other_session(client, alice):
    elsewhere = Browser()
    for browser in (client, elsewhere):
        browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    before, new = client.session.session_key, "another long pass phrase"
    client.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert client.get("/consumers/").status_code == 200
    assert client.session.session_key != before
    assert elsewhere.get("/consumers/").status_code == 302


def test_signing_out_takes_a_post_and_ends_the_session(client, alice):
    client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    assert client.get("/account/logout/").status_code == 200
    assert signed_in(client)
    assert client.post("/account/logout/")["Location"] == "/account/login/"
    assert not signed_in(client)


def test_other_sessions_can_be_ended(alice):
    here, there = Browser(), Browser()
    for browser in (here, there):
        browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    assert "Sign out the other sessions" in here.get("/account/sessions/").content.decode()
    here.post("/account/sessions/")
    assert there.get("/consumers/").status_code == 302
    assert here.get("/consumers/").status_code == 200


AWAY = ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "//[", "http://testserver"]


@pytest.mark.parametrize("address", AWAY)
def test_next_never_leads_away(client, alice, address):
    assert client.get("/account/login/", {"next": address}).status_code == 200
    answer = client.post("/account/login/", {"login": alice.email, "password": PASSWORD, "next": address})
    assert answer["Location"] == "/"


def test_access_ends_at_the_next_request(browser_of, alice, acme):
    browser = browser_of(alice)
    page = "/consumers/acme/people/"
    assert browser.get(page).status_code == 200
    acme.suspended_at = timezone.now()
    acme.save()
    assert browser.get(page).status_code == 404
    acme.suspended_at = None
    acme.save()
    assert browser.get(page).status_code == 200
    Membership.objects.filter(user=alice).delete()
    assert browser.get(page).status_code == 404
    Membership.objects.create(user=alice, consumer=acme)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert browser.get(page)["Location"].startswith("/account/login/")


def test_every_page_of_the_account_speaks_our_words(client, alice):
    TOTP.activate(alice, SECRET)
    RecoveryCodes.activate(alice)
    sign_in_to(client, alice)
    record_methods(client, alice, "password", "mfa")
    foreign = re.compile(r"Two-Factor|Re-send|Primary|Verified|Reauthenticate|Security Key|Deactivate|Email Address\b")
    for path in (
        "/account/2fa/",
        "/account/2fa/webauthn/",
        "/account/2fa/webauthn/add/",
        "/account/2fa/totp/deactivate/",
        "/account/2fa/recovery-codes/",
        "/account/2fa/recovery-codes/generate/",
        "/account/email/",
        "/account/sessions/",
        "/account/name/",
        "/account/password/change/",
        "/account/logout/",
        "/account/2fa/reauthenticate/",
    ):
        page = client.get(path)
        assert page.status_code == 200, path
        assert not foreign.search(page.content.decode()), path


def test_addresses_are_made_main_and_removed(client, alice):
    EmailAddress.objects.create(user=alice, email="alice@new.example", verified=True)
    client.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    page = client.get("/account/email/").content.decode()
    assert "Make it the main address" in page
    client.post("/account/email/", {"email": "alice@new.example", "action_primary": "1"})
    alice.refresh_from_db()
    assert alice.email == "alice@new.example"
    assert mail.outbox[-1].subject == "Your main email address was changed"
    client.post("/account/email/", {"email": "alice@acme.example", "action_remove": "1"})
    assert [address.email for address in EmailAddress.objects.filter(user=alice)] == ["alice@new.example"]
