"""`manage.py reset_second_factor`: the way back for who has lost passkey, app and recovery codes."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from consumers.models import Event
from tests.conftest import person
from tests.factories import PASSWORD, UserFactory, app_code, hold_second_factor

pytestmark = pytest.mark.django_db


def run(*words):
    output = StringIO()
    call_command("reset_second_factor", *words, stdout=output)
    return output.getvalue()


@pytest.fixture
def otto(db):
    return hold_second_factor(person("Otto Lang", "otto@provider.example", is_staff=True, is_superuser=True))


def test_it_removes_every_factor_and_ends_every_session_of_that_person_alone(otto, olga):
    RecoveryCodes.activate(otto)
    browsers = {who: Browser() for who in (otto, olga)}
    for who, browser in browsers.items():
        browser.post("/account/login/", {"login": who.email, "password": PASSWORD})
        browser.post("/account/2fa/authenticate/", {"code": app_code()})
        assert browser.get("/operators/").status_code == 200
    assert "2 removed. otto@provider.example can sign in" in run("Otto@provider.example", "--yes")
    assert set(Authenticator.objects.values_list("user__name", flat=True)) == {"Olga Weber"}
    assert browsers[otto].get("/operators/").status_code == 302
    assert "_auth_user_id" not in browsers[otto].session
    assert browsers[olga].get("/operators/").status_code == 200


def test_the_person_sets_up_a_new_one(otto):
    run(otto.email, "--yes")
    browser = Browser()
    browser.post("/account/login/", {"login": otto.email, "password": PASSWORD})
    assert browser.get("/operators/")["Location"] == "/operators/security/"
    assert browser.get("/account/2fa/totp/activate/").status_code == 200


def test_the_person_and_all_other_operators_are_told(otto, olga, alice):
    UserFactory(is_staff=True, is_active=False)
    run(otto.email, "--yes")
    told = {message.to[0]: message for message in mail.outbox}
    assert set(told) == {otto.email, olga.email}
    assert told[otto.email].subject == "Your second factor was removed"
    assert "tell the other operators" in told[otto.email].body
    assert told[olga.email].subject == "The second factor of Otto Lang was removed"
    assert "See what else was done:\nhttp" in told[olga.email].body
    assert "who ran the command" in told[olga.email].body


def test_it_works_for_people_of_workspaces(alice):
    hold_second_factor(alice)
    run(alice.email, "--yes")
    assert [message.to for message in mail.outbox] == [[alice.email]]


def test_it_is_recorded(otto):
    run(otto.email, "--yes")
    event = Event.objects.get(name="person.second_factor.reset")
    assert (event.actor_label, event.target_label) == ("manage.py reset_second_factor", "Otto Lang")


def test_without_a_terminal_it_asks_for_yes(otto):
    with pytest.raises(CommandError, match="Nothing was removed"):
        run(otto.email)
    assert Authenticator.objects.exists()


@pytest.mark.parametrize(("email", "reason"), [("nobody@x.example", "no account"), ("alice@acme.example", "has no")])
def test_what_cannot_be_done_is_said(alice, email, reason):
    with pytest.raises(CommandError, match=reason):
        run(email, "--yes")
    assert not Event.objects.exists()
    assert mail.outbox == []
