# ruff: noqa: S608  # statements are put together of names in this file
"""`manage.py check_invariants` names whatever is broken on purpose, and nothing of a sound database."""

import json
import uuid
from datetime import timedelta
from io import StringIO

import pytest
from allauth.usersessions.models import UserSession
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client as Browser
from django.utils import timezone

from authority.keys import signing_keys
from authority.models import DeviceRequest, OpaqueToken, RefreshToken, SignIn, SigningKey, TokenFamily
from clients.actions.secrets import create_secret
from clients.models import Client, TrustedIssuer, TrustRule
from consumers import audit
from consumers.actions.invitations import invite_manager
from consumers.audit import SYSTEM
from consumers.events import ConsumerEvent
from consumers.models import Consumer
from core.mail import OutboxBackend
from portal import invariants
from portal.invariants import ENCRYPTED, INVARIANTS
from tests.conftest import NO_TRUNCATE
from tests.factories import ClientFactory, actor_for

pytestmark = pytest.mark.django_db
LONG_AGO = timezone.now() - timedelta(days=9)


@pytest.fixture
def sound(acme, alice, globex, service):
    """One row at least of everything that an invariant is about."""
    with connection.cursor() as cursor:
        for model, trigger in NO_TRUNCATE.items():  # as migrations leave it
            cursor.execute(f"ALTER TABLE {model._meta.db_table} ENABLE TRIGGER {trigger}")
    Consumer.objects.update(created_at=LONG_AGO)  # factories record nothing
    Client.objects.update(created=LONG_AGO)
    with transaction.atomic():
        audit.record(ConsumerEvent.CONSUMER_UPDATED, actor=SYSTEM, consumer=acme, target=acme)
    create_secret(client=service, name="", actor=SYSTEM)
    signing_keys.ensure_active_key("ES256")
    invite_manager(consumer=acme, email="jonas@acme.example", role="viewer", actor=actor_for(alice))
    OutboxBackend().send_messages([EmailMessage("Hello", "You", to=["ops@acme.example"])])
    browser = Browser()
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    key = str(browser.session.session_key)
    UserSession.objects.create(user=alice, ip="192.0.2.7", session_key=key, user_agent="")
    end = timezone.now() + timedelta(days=9)
    sign_in = SignIn.objects.create(client=service, user=alice, authenticated_at=LONG_AGO)
    family = TokenFamily.objects.create(
        id=sign_in.pk, client=service, user=alice, grant_type="authorization_code", generation=3, retain_until=end
    )
    RefreshToken.objects.create(digest="d", family=family, generation=3, expires_at=end - timedelta(hours=1))
    OpaqueToken.objects.create(digest="o", client=service, family=family, claims={}, expires_at=end)
    DeviceRequest.objects.create(
        digest="d", user_code="u", client=service, user=alice, state="allowed", interval=5, expires_at=end
    )
    issuer = TrustedIssuer.objects.create(name="GitHub", platform="github", issuer="https://i.example", consumer=acme)
    TrustRule.objects.create(client=service, issuer=issuer, audience="a", claims={"sub": "x"})
    ClientFactory(consumer=globex, client_name="Other")
    Client.objects.update(created=LONG_AGO)


def copy(table, **changes):
    """Return the statements that add a copy of a table's first row, whatever forbids it."""
    document = json.dumps(changes)
    return [
        "SET LOCAL session_replication_role = replica",
        (
            f"INSERT INTO {table} SELECT made.* FROM {table} one, "
            f"jsonb_populate_record(one, '{document}'::jsonb) made LIMIT 1"
        ),
        "SET LOCAL session_replication_role = origin",
    ]


def without(name, table):
    return [f"ALTER TABLE {table} DROP CONSTRAINT {name}"]


def lasting(statement):
    return ["SET LOCAL session_replication_role = replica", statement, "SET LOCAL session_replication_role = origin"]


NEW, NOBODY = str(uuid.uuid4()), str(uuid.uuid4())
SIGNING_KEYS = "authority_signingkey"
# For each invariant, the statements that break it.
BREAKING = {
    "dangling_reference": lasting(f"UPDATE consumers_membership SET user_id = '{NOBODY}'"),
    "constraint_not_valid": [
        "ALTER TABLE consumers_user ADD CONSTRAINT hopeful CHECK (email = 'nobody') NOT VALID",
    ],
    "trigger_disabled": ["ALTER TABLE consumers_event DISABLE TRIGGER event_append_only"],
    "person_doubled": [
        "DROP INDEX user_email_unique",
        *copy("consumers_user", id=NEW, email="ALICE@acme.example"),
    ],
    "address_doubled": [
        "DROP INDEX unique_verified_email",
        *copy("account_emailaddress", id=999_999, primary=False, email="ALICE@acme.example"),
    ],
    "membership_doubled": [
        *without("membership_once", "consumers_membership"),
        *copy("consumers_membership", id=999_999),
    ],
    "invitation_doubled": [
        "DROP INDEX invitation_pending_once",
        *copy("consumers_invitation", id=999_999, token_digest="other"),
    ],
    "primary_address_differs": ["UPDATE consumers_user SET email = 'changed@acme.example'"],
    "session_of_inactive_person": ["UPDATE consumers_user SET is_active = false"],
    "client_without_consumer": lasting(f"UPDATE clients_client SET consumer_id = '{NOBODY}'"),
    "client_doubled": [
        "ALTER TABLE clients_client DROP CONSTRAINT clients_client_client_id_key",
        *copy("clients_client", id=999_999),
    ],
    "consumer_doubled": [
        "ALTER TABLE consumers_consumer DROP CONSTRAINT consumers_consumer_slug_key",
        *copy("consumers_consumer", id=NEW, external_id="x"),
    ],
    "secret_doubled": [*without("secret_once", "clients_clientsecret"), *copy("clients_clientsecret", id=NEW)],
    "secrets_beyond_limit": [
        statement for n in range(5) for statement in copy("clients_clientsecret", id=str(uuid.uuid4()), digest=str(n))
    ],
    "trust_of_another_consumer": [
        "UPDATE clients_trustedissuer SET consumer_id = (SELECT id FROM consumers_consumer WHERE slug = 'globex')"
    ],
    "signing_key_doubled": [
        "DROP INDEX signing_key_one_active",
        *copy(SIGNING_KEYS, id=999_999, kid="other"),
    ],
    "signing_key_without_private_key": ["UPDATE authority_signingkey SET encrypted_private_key = ''"],
    "refresh_token_from_the_future": ["UPDATE authority_refreshtoken SET generation = 4"],
    "family_swept_too_early": ["UPDATE authority_tokenfamily SET retain_until = now()"],
    "token_of_another_client": [
        "UPDATE authority_opaquetoken SET client_id = (SELECT id FROM clients_client WHERE client_name = 'Other')"
    ],
    "family_of_another_sign_in": [
        "UPDATE authority_signin SET client_id = (SELECT id FROM clients_client WHERE client_name = 'Other')"
    ],
    "device_allowed_by_nobody": ["UPDATE authority_devicerequest SET user_id = NULL"],
    "mail_doubled": copy("core_message", id=999_999),
    "mail_state_wrong": ["UPDATE core_message SET state = 'sent'"],
    "event_missing_of_consumer": ["UPDATE consumers_consumer SET created_at = now() + interval '1 second'"],
    "event_missing_of_client": ["UPDATE clients_client SET created = now() + interval '1 second'"],
    "event_missing_of_secret": copy("clients_clientsecret", id=NEW, digest="other"),
    "event_missing_of_invitation": copy("consumers_invitation", id=999_999, email="x@y.example", token_digest="o"),
    "event_missing_of_personal_token": [
        (
            "INSERT INTO consumers_personaltoken (id, user_id, name, scopes, digest, pepper_version, hint, created_at, "
            f"expires_at) SELECT '{NEW}', id, '', '{{}}', 'd', '1', 'abcd', now() + interval '1 second', now() "
            "FROM consumers_user"
        )
    ],
    "event_missing_of_key": copy(SIGNING_KEYS, id=999_999, kid="other", algorithm="RS256"),
    "event_missing_of_suspension": ["UPDATE consumers_consumer SET suspended_at = now() + interval '1 second'"],
    "event_missing_of_disabled_client": ["UPDATE clients_client SET disabled_at = now() + interval '1 second'"],
    "event_waiting_for_nothing": ["INSERT INTO consumers_unsealedevent VALUES (999999)"],
    ENCRYPTED.name: ["UPDATE core_message SET encrypted_message = 'gAAAAA'"],
}


def run(*words):
    """Return the exit code and what was printed, as JSON."""
    output = StringIO()
    try:
        call_command("check_invariants", "--json", *words, stdout=output)
    except SystemExit as stopped:
        return stopped.code, json.loads(output.getvalue())
    return 0, json.loads(output.getvalue())


def test_sound_database_breaks_nothing(sound):
    code, told = run()
    assert [(each["name"], each["rows"]) for each in told["invariants"] if each["rows"] or each["failed"]] == []
    assert (code, told["hold"]) == (0, True)


def test_every_invariant_is_broken_here():
    assert set(BREAKING) == {invariant.name for invariant in [*INVARIANTS, ENCRYPTED]}
    assert len(INVARIANTS) + 1 == len(BREAKING)


@pytest.mark.parametrize("name", BREAKING)
def test_broken_invariant_is_named_with_its_row(sound, name):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in BREAKING[name]:
            cursor.execute(statement)
    code, told = run()
    found = {each["name"]: each["rows"] for each in told["invariants"] if each["rows"]}
    assert name in found
    assert code == 1


def test_no_digest_or_key_is_printed(sound):
    with connection.cursor() as cursor:
        for statement in [*copy("clients_clientsecret", id=NEW, digest="c0ffee"), *BREAKING["signing_key_doubled"]]:
            cursor.execute(statement)
    code, told = run()
    assert code == 1
    printed = json.dumps(told)
    assert "c0ffee" not in printed
    assert bytes(SigningKey.objects.get(state="active", kid="other").encrypted_private_key).decode() not in printed


def test_question_that_takes_too_long_is_told(sound, monkeypatch):
    slow = invariants.Invariant("slow", "It is quick.", "SELECT pg_sleep(30)::text")
    monkeypatch.setattr(invariants, "INVARIANTS", [slow])
    code, told = run("--seconds", "1")
    assert code == 2
    assert "statement timeout" in told["invariants"][0]["failed"]


def test_rows_that_are_named_are_few(sound, monkeypatch):
    many = invariants.Invariant("many", "There are few.", "SELECT n::text FROM generate_series(1, 1000) n")
    monkeypatch.setattr(invariants, "INVARIANTS", [many])
    assert len(run()[1]["invariants"][0]["rows"]) == invariants.MOST
