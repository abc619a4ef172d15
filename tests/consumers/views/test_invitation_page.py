"""What an invitation's link does, for whom."""

import logging
import re
import threading
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import given, strategies
from hypothesis import settings as hypothesis_settings

from consumers.actions import invitations as invitation_actions
from consumers.models import Event, Invitation, Membership, User
from core.errors import Conflict
from portal import logs
from tests.factories import MembershipFactory, UserFactory, actor_for
from tests.generated import examples

pytestmark = pytest.mark.django_db


def url(token):
    return f"/invitations/{token}/"


def test_reading_the_page_consumes_nothing(client, invite):
    invitation, token = invite()
    for look in (client.head, client.get, client.get):
        page = look(url(token))
        assert page.status_code == 200
    text = page.content.decode()
    assert "Alice Martin invites you to Acme Logistics" in text
    assert "jonas@acme.example" in text
    assert "viewer" in text
    invitation.refresh_from_db()
    assert invitation.state == "pending"
    assert page["Referrer-Policy"] == "same-origin"


def test_somebody_new_gets_an_account_with_that_address_and_is_signed_in(client, invite, acme):
    _, token = invite()
    session_before = client.session.session_key
    answer = client.post(url(token), {"name": "Jonas Berg"})
    assert answer.status_code == 302
    assert answer["Location"] == "/consumers/acme/"
    user = User.objects.get(email="jonas@acme.example")
    assert user.name == "Jonas Berg"
    assert not user.has_usable_password()
    assert EmailAddress.objects.get(user=user).verified
    assert Membership.objects.get(user=user, consumer=acme).role == "viewer"
    assert client.session["_auth_user_id"] == str(user.pk)
    assert client.session.session_key != session_before
    event = Event.objects.exclude(name="person.signed_in").first()
    assert (event.name, event.actor_label, event.ip) == ("manager.joined", "Jonas Berg", "127.0.0.1")


def test_a_name_is_needed_and_what_was_typed_stays(client, invite):
    _, token = invite()
    assert client.post(url(token), {"name": "  "}).status_code == 422
    page = client.post(url(token), {"name": "Jo\u202enas"})
    assert page.status_code == 422
    assert "U+202E" in page.content.decode()
    assert not User.objects.filter(email="jonas@acme.example").exists()


def test_accepting_needs_the_csrf_token(invite):
    _, token = invite()
    browser = Browser(enforce_csrf_checks=True)
    assert browser.post(url(token), {"name": "Jonas"}).status_code == 403
    page = browser.get(url(token)).content.decode()
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    assert browser.post(url(token), {"name": "Jonas", "csrfmiddlewaretoken": csrf}).status_code == 302


def test_an_existing_person_signs_in_first(client, invite, mallory, browser_of):
    _, token = invite(email=mallory.email.upper())
    page = client.get(url(token)).content.decode()
    assert f"/account/login/?next=/invitations/{token}/" in page
    answer = client.post(url(token), {"name": "Not Mallory"})
    assert answer.status_code == 422
    assert User.objects.filter(email__iexact=mallory.email).count() == 1
    assert browser_of(mallory).post(url(token)).status_code == 302
    assert mallory.workspaces().count() == 2


def test_signing_in_and_signing_out_both_lead_back_to_the_invitation(client, invite, mallory):
    _, token = invite(email=mallory.email)
    client.post("/account/login/code/", {"email": mallory.email, "next": url(token)})
    code = re.search(r"code: ([A-Z]{4}-[A-Z]{4})", mail.outbox[-1].body)[1]
    answer = client.post("/account/login/code/confirm/", {"code": code, "next": url(token)})
    assert answer["Location"] == url(token)
    assert "Join Acme Logistics" in client.get(url(token)).content.decode()
    assert client.post("/account/logout/", {"next": url(token)})["Location"] == url(token)


def test_a_further_verified_address_counts_and_an_unverified_one_does_not(browser_of, mallory, invite, acme):
    _, token = invite()
    address = EmailAddress.objects.create(user=mallory, email="jonas@acme.example", verified=False)
    assert browser_of(mallory).post(url(token)).status_code == 403
    address.verified = True
    address.save()
    assert browser_of(mallory).post(url(token)).status_code == 302
    assert Membership.objects.filter(user=mallory, consumer=acme).exists()


def test_a_new_person_cannot_take_a_verified_address_of_somebody(client, mallory, invite):
    EmailAddress.objects.create(user=mallory, email="jonas@acme.example", verified=True)
    _, token = invite()
    assert client.post(url(token), {"name": "Jonas"}).status_code == 422
    with pytest.raises(Conflict):
        invitation_actions.join_as_new_person(token=token, name="Jonas", actor=actor_for(mallory))


def test_another_persons_invitation_is_refused_with_an_explanation(browser_of, invite, mallory, acme):
    invitation, token = invite()
    browser = browser_of(mallory)
    for page in (browser.get(url(token)), browser.post(url(token))):
        text = page.content.decode()
        assert "This invitation is for <strong>jonas@acme.example</strong>" in text
        assert "mallory@globex.example" in text
        assert "Sign out" in text
    assert page.status_code == 403
    invitation.refresh_from_db()
    assert invitation.state == "pending"
    assert not Membership.objects.filter(user=mallory, consumer=acme).exists()


@pytest.fixture
def dead_links(invite, acme, alice, globex):
    """Tokens that open nothing any more, or never did."""
    past = timezone.now() - timedelta(minutes=1)
    _, used = invite("used@acme.example")
    invitation_actions.join_as_new_person(token=used, name="Used", actor=actor_for(alice))
    _, ended = invite("ended@acme.example", expires_at=past)
    revoked_invitation, revoked = invite("revoked@acme.example")
    invitation_actions.revoke_invitation(invitation=revoked_invitation, actor=actor_for(alice))
    resent_invitation, resent = invite("resent@acme.example")
    invitation_actions.resend_invitation(invitation=resent_invitation, actor=actor_for(alice))
    _, altered = invite("altered@acme.example")
    return [used, ended, revoked, resent, altered[:-1] + ("A" if altered[-1] != "A" else "B"), "made-up", "x" * 2000]


def test_every_link_that_does_not_open_gets_the_same_answer(client, dead_links):
    answers = set()
    for token in dead_links:
        for answer in (client.get(url(token)), client.post(url(token), {"name": "Eve"})):
            text = re.sub(r"csrfmiddlewaretoken\S+ value=\S+|req_\w+", "", answer.content.decode())
            answers.add((answer.status_code, text))
    assert len(answers) == 1
    assert answers.pop()[0] == 404


def test_a_suspended_consumer_takes_nobody_in(client, invite, acme):
    _, token = invite()
    acme.suspended_at = timezone.now()
    acme.save()
    assert client.post(url(token), {"name": "Jonas"}).status_code == 404


@hypothesis_settings(max_examples=examples(40))
@given(position=strategies.integers(0, 42), bit=strategies.integers(0, 6))
def test_no_altered_token_opens_an_invitation(invite, position, bit):
    if not hasattr(invite, "token"):
        invite.token = invite()[1]
    token = list(invite.token)
    token[position] = chr(ord(token[position]) ^ (1 << bit))
    assert invitation_actions.find_open_invitation("".join(token)) is None


def test_the_database_and_the_log_hold_no_token(client, invite, caplog):
    invitation, token = invite()
    client.get(url(token))
    client.post(url(token), {"name": "Jonas"})
    rows = [*Invitation.objects.values_list(), *Event.objects.values_list()]
    assert token not in str(rows)
    assert token not in caplog.text
    assert len(invitation.token_digest) == 64


@pytest.mark.parametrize("line", ["GET /invitations/{}/", "GET /account/login/?next=%2Finvitations%2F{}%2F"])
def test_a_log_line_loses_the_token(line):
    token = "a" * 43
    record = logging.LogRecord("x", logging.INFO, "", 0, line.format(token), None, None)
    logs.RedactingFilter().filter(record)
    assert token not in record.getMessage()
    assert "nvitations" in record.getMessage()


def test_declining_ends_the_link_and_is_told(client, invite):
    invitation, token = invite()
    assert "declined" in client.post(url(token), {"decline": "1"}).content.decode()
    invitation.refresh_from_db()
    assert invitation.state == "revoked"
    assert Event.objects.first().name == "manager.invitation.declined"
    assert client.get(url(token)).status_code == 404


def test_accepting_is_limited(client, invite):
    for _ in range(20):
        client.post(url("made-up"))
    answer = client.post(url("made-up"))
    assert answer.status_code == 429
    assert "Too many requests" in answer.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_account", [False, True])
def test_two_browsers_that_accept_at_once_make_one_membership(invite, acme, has_account):
    _, token = invite()
    person = UserFactory(email="jonas@acme.example", name="Jonas") if has_account else None
    browsers = [Browser(), Browser()]
    if person:
        for browser in browsers:
            browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    barrier = threading.Barrier(2)
    statuses = []

    def accept(browser):
        barrier.wait()
        statuses.append(browser.post(url(token), {"name": "Jonas"}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=accept, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 302 in statuses
    assert all(status < 500 for status in statuses)
    assert Membership.objects.filter(consumer=acme, user__email="jonas@acme.example").count() == 1
    assert User.objects.filter(email="jonas@acme.example").count() == 1
    assert Event.objects.filter(name="manager.joined").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_invitations_of_one_new_address_make_one_account(invite, globex, mallory, acme):
    _, first = invite()
    MembershipFactory(consumer=acme, user=mallory)
    invitation_actions.invite_manager(consumer=globex, email="jonas@acme.example", actor=actor_for(mallory))
    second = mail.outbox[-1].body.split("/invitations/")[1].split("/")[0]
    barrier = threading.Barrier(2)
    statuses = []

    def accept(token):
        barrier.wait()
        statuses.append(Browser().post(url(token), {"name": "Jonas"}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=accept, args=(token,)) for token in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses)[0] == 302
    assert all(status < 500 for status in statuses)
    assert User.objects.filter(email="jonas@acme.example").count() == 1


def test_the_link_leads_whoever_has_joined_by_it_into_the_workspace(client, invite, acme, browser_of, bob):
    _, token = invite()
    for _ in range(2):
        answer = client.post(url(token), {"name": "Jonas"})
        assert (answer.status_code, answer["Location"]) == (302, "/consumers/acme/")
    assert client.get(url(token))["Location"] == "/consumers/acme/"
    assert browser_of(bob).get(url(token)).status_code == 404
    Membership.objects.filter(user__email="jonas@acme.example").delete()
    assert client.get(url(token)).status_code == 404
