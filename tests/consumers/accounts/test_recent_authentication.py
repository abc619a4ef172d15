"""Changing how an account is signed in to asks for the strongest that its owner holds: not for their mailbox alone."""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.utils import timezone

from tests.factories import hold_second_factor, record_methods, sign_in_to

pytestmark = pytest.mark.django_db

CHANGES = {
    "remove the app": ("/account/2fa/totp/deactivate/", {}),
    "add a passkey": ("/account/2fa/webauthn/add/", {"name": "x", "credential": "{}"}),
    "create recovery codes": ("/account/2fa/recovery-codes/generate/", {}),
    "add an address": ("/account/email/", {"action_add": "", "email": "alice@new.example"}),
    "remove an address": ("/account/email/", {"action_remove": "1", "email": "alice@other.example"}),
    "make another address the main one": ("/account/email/", {"action_primary": "1", "email": "alice@other.example"}),
}
READS = ["/account/2fa/totp/deactivate/", "/account/2fa/webauthn/add/", "/account/2fa/recovery-codes/"]
MFA = "/account/2fa/reauthenticate/"


@pytest.fixture
def browser(client, alice):
    """Alice, who holds an app and recovery codes, in a session that she has just confirmed by an emailed code."""
    hold_second_factor(alice)
    RecoveryCodes.activate(alice)
    EmailAddress.objects.create(user=alice, email="alice@other.example", verified=True)
    sign_in_to(client, alice)
    record_methods(client, alice, "code")
    session = client.session
    session["account_authentication_methods"][0]["reauthenticated"] = True
    session.save()
    return client


def state(alice):
    alice.refresh_from_db()
    factors = sorted(Authenticator.objects.values_list("pk", "type", "data"), key=str)
    return alice.email, sorted(EmailAddress.objects.values_list("email", "primary")), str(factors)


@pytest.mark.parametrize("what", CHANGES)
def test_a_code_by_email_is_not_enough_for_who_holds_a_factor(browser, alice, what):
    page, form = CHANGES[what]
    before = state(alice)
    assert browser.post(page, form)["Location"].startswith(MFA)
    assert state(alice) == before
    assert mail.outbox == []


@pytest.mark.parametrize("page", READS)
def test_pages_that_show_or_offer_it_ask_as_well(browser, page):
    assert browser.get(page)["Location"].startswith(MFA)


@pytest.mark.parametrize("page", ["/account/reauthenticate/", "/account/reauthenticate/code/"])
def test_password_and_code_are_not_offered(browser, page):
    for answer in (browser.get(page), browser.post(page, {"action": "send"})):
        assert answer["Location"].startswith(MFA)
    alternatives = browser.get(MFA).content.decode()
    assert "Use your password" not in alternatives
    assert "Use a code by email" not in alternatives
    assert mail.outbox == []


@pytest.mark.parametrize("what", CHANGES)
def test_the_factor_is_enough(browser, alice, what):
    record_methods(browser, alice, "code", "mfa")
    page, form = CHANGES[what]
    answer = browser.post(page, form)
    assert not answer.get("Location", "").startswith("/account/2fa/reauthenticate")


def test_it_counts_for_fifteen_minutes(browser, alice, time_machine):
    time_machine.move_to(timezone.now())
    record_methods(browser, alice, "mfa")
    time_machine.shift(899)
    assert browser.get("/account/2fa/totp/deactivate/").status_code == 200
    time_machine.shift(2)
    assert browser.get("/account/2fa/totp/deactivate/")["Location"].startswith(MFA)


def test_who_holds_none_confirms_by_code(client, alice):
    sign_in_to(client, alice)
    record_methods(client, alice, "code")
    assert client.get("/account/2fa/totp/activate/").status_code == 200
    record_methods(client, alice, "code", age=901)
    assert client.get("/account/2fa/totp/activate/")["Location"].startswith("/account/reauthenticate/")
