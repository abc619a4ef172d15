# ruff: noqa: S608  # statements are put together of the names and numbers of this file
"""A person who is erased is in no table any more; the record keeps a pseudonym, and its chain still verifies."""

import json
import os
import subprocess
from datetime import timedelta
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client as Browser
from django.utils import timezone

from authority.models import Consent, SignIn, TestToken
from clients.actions.secrets import create_secret
from clients.models import ClientSecret
from consumers import audit
from consumers.actions.erasure import erase_person
from consumers.actions.invitations import invite_manager
from consumers.actions.members import change_role
from consumers.actions.personal_tokens import create_token
from consumers.audit import SYSTEM
from consumers.models import Event, EventSeal, Invitation, User
from core.errors import Refusal
from core.mail import OutboxBackend
from core.models import Message
from portal import backup
from tests.consumers.activity.test_chain import owner, problems, record, seal_all
from tests.factories import MembershipFactory, actor_for

pytestmark = pytest.mark.django_db
CANARY = "Zebulon Quince"
ADDRESS, FURTHER = "zebulon.quince@acme.example", "zq-canary@private.example"


@pytest.fixture
def zebulon(acme, alice, service, olga):
    """A manager of Acme who left traces in every table that holds any of a person."""
    person = User.objects.create_user(ADDRESS, name=CANARY)
    EmailAddress.objects.create(user=person, email=ADDRESS, verified=True, primary=True)
    EmailAddress.objects.create(user=person, email=FURTHER, verified=True)
    member = MembershipFactory(consumer=acme, user=person)
    actor = audit.Actor(
        kind="person", id=str(person.pk), label=CANARY, ip="192.0.2.99", user_agent="Canary/1.0", user=person
    )
    create_secret(client=service, name="", actor=actor)
    create_token(
        user=person, name="Laptop", scopes=["clients:read"], expires_at=timezone.now() + timedelta(days=9), actor=actor
    )
    change_role(membership=member, role="viewer", actor=actor_for(alice))
    change_role(membership=member, role="manager", actor=actor_for(alice))
    Invitation.objects.filter(consumer=acme).delete()
    invite_manager(consumer=acme, email=f"{ADDRESS}.au", role="viewer", actor=actor_for(alice))
    service.contacts = [ADDRESS, "ops@acme.example"]
    service.metadata = {"on call": f"write to {ADDRESS.upper()}"}
    service.save()
    acme.metadata = {"contact": FURTHER}
    acme.save()
    TestToken.objects.create(
        jti="canary", client=service, grant_type="client_credentials", scopes=[], audience=[], user_id="",
        reason=f"for {ADDRESS}", created_by=person, created_by_label=CANARY, expires_at="2030-01-01T00:00Z",
    )  # fmt: skip
    SignIn.objects.create(client=service, user=person, authenticated_at="2026-01-01T00:00Z")
    Consent.objects.create(client=service, user=person)
    Authenticator.objects.create(user=person, type="totp", data={})
    OutboxBackend().send_messages(
        [
            EmailMessage(f"A code for {CANARY}", ADDRESS, to=[ADDRESS]),
            EmailMessage("For others", "Hello", to=["ops@acme.example"]),
        ]
    )
    Browser().force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    seal_all()
    return person


def dump():
    """Return what `pg_dump` says of everything that is committed."""
    values = connection.settings_dict
    program, _ = backup.find_program("pg_dump", connection.pg_version // 10_000)
    command = [program, "--host", values["HOST"], "--username", values["USER"], "--dbname", values["NAME"]]
    environ = os.environ | {"PGPASSWORD": values.get("PASSWORD") or ""}
    return subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout


@pytest.mark.django_db(transaction=True)
def test_dump_of_the_database_holds_nothing_of_an_erased_person(zebulon):
    before = dump()
    assert all(text in before for text in (CANARY, ADDRESS, FURTHER, "192.0.2.99", "Canary/1.0", ADDRESS.upper()))
    erase_person(email=FURTHER, actor=SYSTEM)
    seal_all()
    after = dump().replace(f"{ADDRESS}.au", "")  # somebody else’s
    found = [text for text in (CANARY, ADDRESS, FURTHER, "192.0.2.99", "Canary/1.0") if text.lower() in after.lower()]
    assert found == []
    assert problems() == []


def test_record_keeps_a_pseudonym_and_its_chain_verifies(zebulon, acme):
    made = list(Event.objects.filter(actor_id=str(zebulon.pk)).values("pk", "at", "name", "target_label"))
    erased = erase_person(email=ADDRESS, actor=SYSTEM)
    assert problems() == []  # also before the erased events are sealed again
    seal_all()
    assert problems() == []
    events = Event.objects.filter(actor_id=str(zebulon.pk))
    assert list(events.values("pk", "at", "name", "target_label")) == made
    assert {(event.actor_label, event.ip, event.user_agent) for event in events} == {(erased.pseudonym, None, "")}
    recorded = Event.objects.get(name="person.erased")
    assert recorded.detail == {"person": erased.pseudonym, "events": erased.events}
    assert Event.objects.filter(erased_by=recorded.pk).count() == erased.events
    assert EventSeal.objects.filter(event_id=made[0]["pk"]).count() == 2


def test_others_keep_what_is_theirs(zebulon, alice, service):
    secret = ClientSecret.objects.get(client=service)
    erase_person(email=ADDRESS, actor=SYSTEM)
    secret.refresh_from_db()
    service.refresh_from_db()
    assert secret.created_by_label.startswith("Erased person")
    assert (secret.created_by, secret.is_live) == (None, True)
    assert service.contacts[1] == "ops@acme.example"
    assert service.contacts[0].endswith("@erased.invalid")
    assert Invitation.objects.get().email == f"{ADDRESS}.au"  # an address that only begins with theirs
    assert Message.objects.filter(recipients="ops@acme.example").count() == 1
    alice.refresh_from_db()
    by_alice = Event.objects.filter(actor_id=str(alice.pk), target_id=str(zebulon.pk))
    assert by_alice.count() == 2
    assert {event.actor_label for event in by_alice} == {str(alice)}
    assert all(event.detail["email"].endswith("@erased.invalid") for event in by_alice)


def test_sessions_end_at_once_and_also_those_in_which_somebody_began_to_sign_in(zebulon, acme):
    browser, stranger = Browser(), Browser()
    browser.force_login(zebulon, backend="allauth.account.auth_backends.AuthenticationBackend")
    stranger.post("/account/login/code/", {"email": ADDRESS})
    assert browser.get("/consumers/acme/clients/").status_code == 200
    erase_person(email=ADDRESS, actor=SYSTEM)
    assert browser.get("/consumers/acme/clients/").status_code == 302
    assert not UserSession.objects.exists()
    assert not Session.objects.exists()


def test_last_manager_is_erased_only_where_that_is_said(alice, acme):
    with pytest.raises(Refusal, match="last manager of acme"):
        erase_person(email=alice.email, actor=SYSTEM)
    with pytest.raises(Refusal, match="last manager of acme"):
        erase_person(email=alice.email, without_manager=["globex"], actor=SYSTEM)
    erase_person(email=alice.email, without_manager=["acme"], actor=SYSTEM)
    assert not acme.memberships.exists()


def test_last_operator_is_never_erased(olga):
    with pytest.raises(Refusal, match="last operator"):
        erase_person(email=olga.email, actor=SYSTEM)


def test_address_that_never_joined_is_erased(acme, alice):
    invite_manager(consumer=acme, email=ADDRESS, role="viewer", actor=actor_for(alice))
    seal_all()
    erased = erase_person(email=ADDRESS.title(), actor=SYSTEM)
    seal_all()
    assert (erased.events, erased.deleted["consumers.Invitation"]) == (1, 1)
    assert ADDRESS not in json.dumps(list(Event.objects.values_list("detail", flat=True)))
    assert problems() == []


def test_address_of_nobody_is_refused(acme):
    with pytest.raises(Refusal, match="Nobody has the address"):
        erase_person(email="nobody@acme.example", actor=SYSTEM)


def test_more_events_than_the_erasure_recorded_are_named(zebulon):
    erase_person(email=ADDRESS, actor=SYSTEM)
    seal_all()
    other = record()
    owner(
        f"UPDATE consumers_event SET actor_label = 'x', erased_by = {Event.objects.get(name='person.erased').pk} "
        f"WHERE id = {other.pk}",
        f"INSERT INTO consumers_unsealedevent VALUES ({other.pk}) ON CONFLICT DO NOTHING",
    )
    seal_all()
    assert "erased" in {problem.kind for problem in problems()}


def test_door_of_the_database_changes_nothing_but_texts_and_needs_an_erasure(zebulon):
    event = Event.objects.filter(actor_id=str(zebulon.pk)).first()
    row = {"id": event.pk, "actor_label": "x", "target_label": "", "detail": {}, "ip": None, "user_agent": ""}
    with connection.cursor() as cursor, pytest.raises(Exception, match="append-only"), transaction.atomic():
        cursor.execute("SELECT erase_from_events(%s, %s::jsonb)", [event.pk, json.dumps([row])])


# -- The command ------------------------------------------------------------------------------------------------------


def run(*words):
    output = StringIO()
    call_command("erase_person", *words, stdout=output)
    return output.getvalue()


def test_dry_run_says_what_would_go_and_changes_nothing(zebulon):
    told = json.loads(run(ADDRESS, "--dry-run", "--json"))
    assert (told["erased"], told["events"] > 2, told["deleted"]["consumers.User"]) == (False, True, 1)
    assert User.objects.filter(pk=zebulon.pk).exists()
    assert not Event.objects.filter(name="person.erased").exists()
    assert ADDRESS not in run(ADDRESS, "--dry-run")


def test_command_erases_when_told_so_and_not_without_an_answer(zebulon):
    with pytest.raises(CommandError, match="Nothing was erased"):
        run(ADDRESS)
    assert User.objects.filter(pk=zebulon.pk).exists()
    assert "was replaced by" in run(ADDRESS, "--yes")
    assert not User.objects.filter(pk=zebulon.pk).exists()
    with pytest.raises(CommandError, match="Nobody has the address"):
        run(ADDRESS, "--yes")
