# ruff: noqa: S608  # statements are put together of names in this file
"""The role that owns nothing (docs/deploy.md): every test's server works as it, and it cannot change the record."""

import json
import time
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from consumers.models import Event, EventSeal, UnsealedEvent, User
from tests.consumers.activity.test_chain import owner

RECORD = ("consumers_event", "consumers_eventseal", "consumers_signedhead")
TRIGGERS = {
    "consumers_event": "event_append_only",
    "consumers_eventseal": "event_seal_append_only",
    "consumers_signedhead": "signed_head_append_only",
}
FORBIDDEN = [
    *(f"TRUNCATE {table}" for table in RECORD),
    *(f"DELETE FROM {table}" for table in RECORD),
    *(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}" for table, trigger in TRIGGERS.items()),
    *(f"ALTER TABLE {table} ADD COLUMN more text" for table in RECORD),
    *(f"DROP TABLE {table} CASCADE" for table in RECORD),
    *(f"DROP TRIGGER {trigger} ON {table}" for table, trigger in TRIGGERS.items()),
    "UPDATE consumers_event SET actor_label = 'x'",
    "UPDATE consumers_eventseal SET hash = ''",
    "UPDATE consumers_signedhead SET token = ''",
    "DROP TRIGGER event_awaits_seal ON consumers_event",
    "CREATE TRIGGER mine BEFORE INSERT ON consumers_event FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "DROP FUNCTION refuse_event_change CASCADE",
    "CREATE OR REPLACE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION delete_expired_events RENAME TO other",
    "SET session_replication_role = replica",
    "CREATE TABLE more (id int)",
    "UPDATE django_migrations SET name = 'x'",
    "SET ROLE postgres",
]


@pytest.fixture(scope="module")
def as_application(server):
    """A connection as the server has it, to a record that is sealed."""
    server.shell(SEAL)
    with psycopg.connect(server.environ["DATABASE_URL"], autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_role_of_the_application_cannot_touch_the_record(as_application, statement):
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.RaiseException)):
        as_application.execute(statement)


def test_revoked_rights_do_not_hang_on_the_triggers(as_application):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_application.execute("UPDATE consumers_event SET actor_label = 'x'")


def test_doors_refuse_young_events_and_what_no_erasure_names(as_application):
    (event,) = as_application.execute("SELECT max(id) FROM consumers_event").fetchone()
    row = json.dumps([{"id": event, "actor_label": "x", "target_label": "", "detail": {}, "user_agent": ""}])
    for door in ("delete_expired_events(1000000, 1000)", f"erase_from_events({event}, '{row}')"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            as_application.execute(f"SELECT {door}")


def test_tables_of_its_own_do_not_stand_before_those_of_the_record(as_application):
    """A function that runs as the owner would read the caller's tables, which say what the caller wants."""
    as_application.execute("CREATE TEMPORARY TABLE consumers_signedhead (kind text, position bigint)")
    as_application.execute("INSERT INTO pg_temp.consumers_signedhead VALUES ('expiry', 1000000)")
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        as_application.execute("SELECT delete_expired_events(1000000, 1000)")


def test_everything_works_as_that_role(server):
    """Sign-in, tokens, sealing, every task of the worker, expiry, verification and erasure."""
    assert urlsplit(server.environ["DATABASE_URL"]).username.endswith("_app")
    assert server.token()
    person = server.demo["managers"][0]
    with httpx.Client(base_url=server.url, follow_redirects=True) as browser:
        browser.get("/account/login/")
        form = {"login": person["email"], "password": server.demo["operator"]["password"]}
        form["csrfmiddlewaretoken"] = next(value for name, value in browser.cookies.items() if "csrf" in name)
        signed_in = browser.post("/account/login/", data=form, headers={"Referer": server.url})
        assert signed_in.status_code == 200, signed_in.text
        assert "Sign out" in signed_in.text
    server.shell(SEAL)
    with server.database():
        first = EventSeal.objects.first().event_id
        owner(f"UPDATE consumers_event SET at = at - interval '100 days' WHERE id = {first}")
    server.shell(TASKS)
    with server.database():
        deadline = time.monotonic() + 60
        while UnsealedEvent.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert EventSeal.objects.first().position == 2
        assert Event.objects.filter(name="person.erased").exists()
        assert not User.objects.filter(email="gone@acme.example").exists()


SEAL = """
from consumers.actions.sealing import seal_events
while seal_events():
    pass
"""
TASKS = f"""
from django.conf import settings
from django.db import connection
from consumers.actions.erasure import erase_person
from consumers.audit import SYSTEM
from consumers.models import User
from portal import activity_check
from portal.activity_check import verify
from portal.worker import PERIODIC_TASKS
with connection.cursor() as cursor:
    cursor.execute("SELECT current_user")
    assert cursor.fetchone()[0].endswith("_app")
User.objects.create_user("gone@acme.example")
erase_person(email="gone@acme.example", actor=SYSTEM)
settings.RETENTION_DAYS["EVENT"] = 90
for task in PERIODIC_TASKS:
    task()
{SEAL}
while activity_check.advance():
    pass
report = verify(threads=2)
assert (report.problems, report.expired) == ([], 1), report
"""
