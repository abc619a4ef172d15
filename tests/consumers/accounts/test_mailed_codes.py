"""Codes by email: too long to guess, too few to flood, and no way to lock their owner out."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from core.rate_limits import Budget
from tests.factories import PASSWORD, TOTP_SECRET, app_code, record_methods, sign_in_to

pytestmark = pytest.mark.django_db

REQUEST, CONFIRM = "/account/login/code/", "/account/login/code/confirm/"
CODE = re.compile(r"^[^\n]*: ([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})$", re.MULTILINE)
HOUR = 3600


def code_in(message) -> str:
    return CODE.search(message.body)[1]


def request_code(email, browser=None, ip="192.0.2.1"):
    return (browser or Browser()).post(REQUEST, {"email": email}, REMOTE_ADDR=ip)


def spend_all(email, ip="198.51.100.9"):
    for _ in range(5):
        assert request_code(email, ip=ip).status_code == 302
    assert request_code(email, ip=ip).status_code == 429


@pytest.fixture
def known(alice):
    """A browser that Alice has signed in with before."""
    browser = Browser()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    browser.post("/account/logout/")
    mail.outbox.clear()
    return browser


def start_again(browser):
    browser.post("/account/logout/")
    return browser


# -- What a code looks like -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["{}", " {} ", "{0[0]}{0[1]}", "{0[0]} {0[1]}", "lower"])
def test_a_code_is_taken_in_any_case_with_or_without_its_dash(alice, typed):
    browser = Browser()
    request_code(alice.email, browser)
    code = code_in(mail.outbox[-1])
    as_typed = code.lower() if typed == "lower" else typed.format(code.split("-") if "[" in typed else code)
    browser.post(CONFIRM, {"code": as_typed})
    assert "_auth_user_id" in browser.session


def test_every_mailed_code_is_eight_letters(alice):
    browser = Browser()
    request_code(alice.email, browser)
    browser.post("/account/password/reset/", {"email": alice.email})
    sign_in_to(browser, alice)
    browser.post("/account/reauthenticate/code/", {"action": "send"})
    record_methods(browser, alice, "password")
    browser.post("/account/email/", {"action_add": "", "email": "alice@new.example"})
    assert [message.to[0] for message in mail.outbox] == [alice.email] * 3 + ["alice@new.example"]
    assert len({code_in(message) for message in mail.outbox}) == 4


# -- The budget -------------------------------------------------------------------------------------------------------


def test_after_five_codes_that_nobody_used_the_page_says_when_to_try_again(alice, time_machine):
    time_machine.move_to("2026-11-30T12:00:00Z")
    for _ in range(5):
        request_code(alice.email)
    time_machine.shift(20 * 60)
    answer = request_code(alice.email)
    page = " ".join(answer.text.split())
    assert (answer.status_code, answer["Retry-After"]) == (429, "2400")
    assert f"several emails to <strong>{alice.email}</strong>, and no code from them was used." in page
    assert "Monday 30 November at 13:00 UTC, in 40 minutes" in page
    assert len(mail.outbox) == 5
    time_machine.shift(2401)
    assert request_code(alice.email).status_code == 302


def test_the_page_does_not_tell_whether_there_is_an_account(alice):
    pages = set()
    for email in (alice.email, "nobody@acme.example"):
        spend_all(email)
        text = request_code(email).text.replace(email, "EMAIL")
        pages.add(re.sub(r"req_\w+|csrfmiddlewaretoken\S+ value=\S+", "", text))
    assert len(pages) == 1
    assert len(mail.outbox) == 10


def test_other_networks_and_a_day_of_trying_get_no_more(alice, time_machine):
    time_machine.move_to(timezone.now())
    sent = []
    for network, hours in enumerate((1, 1, 10, 11, 2), start=1):
        answers = [request_code(alice.email, ip=f"203.0.113.{network}").status_code for _ in range(6)]
        sent.append(answers.count(302))
        time_machine.shift(hours * HOUR + 1)
    assert sent == [5, 5, 0, 0, 0]
    assert len(mail.outbox) == 10
    assert request_code(alice.email).status_code == 302  # more than a day later


def test_every_kind_of_code_is_counted_together(alice):
    spend_all(alice.email)
    assert Browser().post("/account/password/reset/", {"email": alice.email}).status_code == 429
    assert len(mail.outbox) == 5


def test_another_address_of_the_account_has_the_same_budget(alice):
    EmailAddress.objects.create(user=alice, email="alice@other.example", verified=True)
    spend_all(alice.email)
    assert request_code("alice@other.example").status_code == 429


@pytest.mark.parametrize("twin", ["nobody+1@acme.example", "NOBODY@ACME.example", "nobody+a+b@acme.example"])
def test_a_mailbox_without_account_is_not_filled_by_its_twins(db, twin):
    spend_all("nobody@acme.example")
    assert request_code(twin).status_code == 429
    assert len(mail.outbox) == 5


def test_asking_again_is_counted_and_leaves_the_last_code(alice):
    for _ in range(3):
        request_code(alice.email)
    browser = Browser()
    request_code(alice.email, browser)
    assert browser.post(CONFIRM, {"action": "resend"}).status_code == 302
    code = code_in(mail.outbox[-1])
    assert browser.post(CONFIRM, {"action": "resend"}).status_code == 429
    assert len(mail.outbox) == 5
    browser.post(CONFIRM, {"code": code})
    assert "_auth_user_id" in browser.session


def test_a_code_that_is_used_is_not_counted(alice):
    for _ in range(6):
        browser = Browser()
        request_code(alice.email, browser)
        browser.post(CONFIRM, {"code": code_in(mail.outbox[-1])})
        assert "_auth_user_id" in browser.session


def test_the_owner_gives_back_their_own_codes_and_not_those_of_a_stranger(alice):
    """Else each sign-in of the owner would give a guesser new tries."""
    for _ in range(4):
        request_code(alice.email)
    browser = Browser()
    request_code(alice.email, browser)
    browser.post(CONFIRM, {"code": code_in(mail.outbox[-1])})
    assert request_code(alice.email).status_code == 302
    assert request_code(alice.email).status_code == 429


def test_confirming_another_address_gives_back_none_of_the_accounts_codes(alice):
    browser = Browser()
    sign_in_to(browser, alice)
    record_methods(browser, alice, "password")
    browser.post("/account/email/", {"action_add": "", "email": "alice@new.example"})
    code = code_in(mail.outbox[-1])
    spend_all(alice.email)
    browser.post("/account/confirm-email/", {"code": code})
    assert EmailAddress.objects.get(email="alice@new.example").verified
    assert request_code(alice.email).status_code == 429


def test_codes_for_reauthentication_and_for_a_password_are_given_back_too(alice):
    for _ in range(4):
        request_code(alice.email)
    browser = Browser()
    sign_in_to(browser, alice)
    for _ in range(3):
        record_methods(browser, alice, "password", age=HOUR)
        browser.post("/account/reauthenticate/code/", {"action": "send"})
        answer = browser.post("/account/reauthenticate/code/", {"code": code_in(mail.outbox[-1])})
        assert answer.status_code == 302
    for turn in range(3):
        browser, new = Browser(), f"another long pass phrase {turn}"
        browser.post("/account/password/reset/", {"email": alice.email})
        browser.post("/account/password/reset/confirm/", {"code": code_in(mail.outbox[-1])})
        browser.post("/account/password/reset/complete/", {"password1": new, "password2": new})
        alice.refresh_from_db()
        assert alice.check_password(new)


def test_the_budget_is_kept_by_the_cache_that_all_processes_share(alice):
    spend_all(alice.email)
    cache.clear()
    assert request_code(alice.email).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_requests_at_once_no_more_get_one():
    budget = Budget("test", (5, HOUR), (10, 24 * HOUR))

    def spend(_):
        try:
            return budget.spend("somebody")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(spend, range(24)))
    assert waits.count(0) <= 5
    assert sum(budget.spend("somebody") == 0 for _ in range(6)) == 5 - waits.count(0)


# -- Browsers that are known ------------------------------------------------------------------------------------------


def test_a_stranger_does_not_spend_the_budget_of_a_known_browser(alice, known):
    spend_all(alice.email)
    assert request_code(alice.email, known).status_code == 302
    known.post(CONFIRM, {"code": code_in(mail.outbox[-1])})
    assert "_auth_user_id" in known.session


def test_a_known_browser_has_a_budget_too(alice, known):
    for _ in range(5):
        assert request_code(alice.email, start_again(known)).status_code == 302
    assert request_code(alice.email, start_again(known)).status_code == 429
    assert request_code(alice.email).status_code == 302


def test_a_stranger_does_not_lock_the_owners_password_out(alice, known):
    for turn in range(7):
        form = {"login": alice.email, "password": "wrong"}
        answer = Browser().post("/account/login/", form, REMOTE_ADDR=f"198.51.100.{turn}")
    assert "Too many tries" in answer.text
    known.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    assert "_auth_user_id" in known.session


def test_a_browser_is_known_to_the_accounts_alone_that_it_signed_in_to(alice, mallory, known):
    spend_all(mallory.email)
    assert request_code(mallory.email, known).status_code == 429


def test_the_mark_cannot_be_made_up(alice, known):
    thief = Browser()
    value = known.cookies["known"].value
    thief.cookies["known"] = value[:-4] + ("AAAA" if not value.endswith("AAAA") else "BBBB")
    spend_all(alice.email)
    assert request_code(alice.email, thief).status_code == 429


def test_the_mark_lasts_says_nobody_and_is_for_us_alone(alice, known):
    cookie = known.cookies["known"]
    assert (cookie["httponly"], cookie["path"], cookie["domain"], cookie["samesite"]) == (True, "/", "", "Lax")
    assert cookie["max-age"] == 365 * 24 * HOUR
    assert not any(text in cookie.value for text in (alice.email, str(alice.pk), alice.pk.hex))


def second_step(browser, person, code=app_code):
    browser.post("/account/login/", {"login": person.email, "password": PASSWORD})
    return browser.post("/account/2fa/authenticate/", {"code": code()})


def wrong():
    return "000000"


def test_whoever_knows_the_password_does_not_spend_the_owners_tries_of_the_second_step(alice, known):
    TOTP.activate(alice, TOTP_SECRET)
    stranger = Browser()
    for _ in range(7):
        answer = second_step(stranger, alice, wrong)
    assert "Too many tries" in answer.text
    second_step(start_again(known), alice)
    assert known.session["_auth_user_id"] == str(alice.pk)
    assert "_auth_user_id" not in stranger.session


def test_a_known_browser_guesses_no_second_step(alice, known):
    TOTP.activate(alice, TOTP_SECRET)
    start_again(known)
    for _ in range(5):
        assert "This code is not right" in second_step(known, alice, wrong).text
    assert "Too many tries" in second_step(known, alice).text
    assert "_auth_user_id" not in known.session


def test_second_steps_that_succeed_are_not_counted(alice, known):
    TOTP.activate(alice, TOTP_SECRET)
    for code in RecoveryCodes.activate(alice).get_unused_codes()[:7]:
        second_step(start_again(known), alice, lambda code=code: code)
        assert known.session["_auth_user_id"] == str(alice.pk)
