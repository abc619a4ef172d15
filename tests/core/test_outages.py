"""What the database itself says while it cannot serve, told from faults of ours."""

import time
from contextlib import contextmanager

import psycopg
import pytest
from django.db import Error, connection, transaction

from core.db import outages
from tests.authority.conftest import management_token

pytestmark = pytest.mark.django_db

TOO_SLOW = {
    "a statement took too long": ("SET LOCAL statement_timeout = 20", "SELECT pg_sleep(5)"),
    "a lock took too long": ("SET LOCAL lock_timeout = 20", "LOCK TABLE clients_documenthost"),
    "it may only be read": ("SET LOCAL transaction_read_only = on", "CREATE TABLE never (id int)"),
}
OURS = {
    "a table that is not there": "SELECT 1 FROM nowhere",
    "a number that is none": "SELECT 'x'::int",
    "half an encoding": r"SELECT E'\xff'",
}


def error_of(*statements):
    with pytest.raises(Error) as raised:
        run(*statements)
    return raised.value


@transaction.atomic
def run(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def locked():
    """A table that somebody else holds for themselves."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("LOCK TABLE clients_documenthost")
        yield
        other.rollback()


@pytest.mark.parametrize("case", TOO_SLOW)
def test_a_database_that_cannot_serve_now_is_an_outage(locked, case):
    assert outages.is_outage(error_of(*TOO_SLOW[case]))


def test_transaction_that_the_server_ended_is_an_outage():
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 10")
            cursor.execute("BEGIN")
            time.sleep(0.2)
            with pytest.raises(Error) as raised:
                cursor.execute("SELECT 1")
        assert outages.is_outage(raised.value)
    finally:
        other.close()


@pytest.mark.parametrize("case", OURS)
def test_a_fault_of_ours_is_no_outage(case):
    assert not outages.is_outage(error_of(OURS[case]))


def test_nothing_is_no_outage():
    assert not outages.is_outage(None)


# -- At the doors -----------------------------------------------------------------------------------------------------


@contextmanager
def local(setting):
    """Change a setting of the transaction until the block ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL {setting}")
        yield
        transaction.set_rollback(True)


READ_ONLY = "transaction_read_only = on"


def test_programs_are_asked_to_come_back_while_a_lock_lasts(client, locked):
    with local("lock_timeout = 20"):
        answer = client.get("/.well-known/openid-configuration")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["error"] == "temporarily_unavailable"


def test_programs_are_asked_to_come_back_while_the_database_may_only_be_read(client, alice, acme):
    headers = {"Authorization": f"Bearer {management_token(alice)}"}
    sent = {"client_name": "New", "grant_types": ["client_credentials"]}
    for path in ("/admin/clients?consumer=acme", "/oauth2/register"):
        with local(READ_ONLY):
            answer = client.post(path, sent, "application/json", headers=headers)
        assert (answer.status_code, answer.get("Retry-After")) == (503, "5"), path
        assert answer.json()["error"] == "temporarily_unavailable"


def test_people_are_asked_to_come_back_while_the_database_may_only_be_read(browser_of, alice):
    browser = browser_of(alice)
    browser.raise_request_exception = False
    with local(READ_ONLY):
        answer = browser.post("/account/logout/")
    assert (answer.status_code, answer.get("Retry-After")) == (503, "5")
    assert "We will be back in a moment" in answer.text


def test_session_that_cannot_be_written_now_has_not_ended(browser_of, alice):
    """Django would answer that it was deleted meanwhile, and people would sign in again."""
    session = browser_of(alice).session
    with pytest.raises(Error) as raised, local(READ_ONLY):
        session.save()
    assert outages.is_outage(raised.value)


def test_a_server_whose_database_may_only_be_read_is_not_ready(client):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only = on")
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["errors"]) == (503, {"database": "it may only be read"})


def test_a_connection_that_may_only_be_read_from_ends_with_its_request():
    """Another may lead to a server that can be written, after a failover."""
    other = connection.copy()
    other.settings_dict["CONN_MAX_AGE"] = 60
    try:
        with other.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
        with pytest.raises(Error), other.cursor() as cursor:
            cursor.execute("CREATE TABLE never (id int)")
        other.close_if_unusable_or_obsolete()
        assert other.connection is None
    finally:
        other.close()


def test_a_full_disk_is_a_warning_of_readiness_for_a_minute(client, monkeypatch):
    """Whatever reads goes on, so that the machine keeps its place behind the balancer."""
    error = error_of("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$")
    monkeypatch.setattr(outages, "_disk_full_until", 0.0)
    outages.report(error, "/admin/clients")
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["warnings"]["database"] == "its disk is full: what writes is refused"
    monkeypatch.setattr(outages, "_disk_full_until", time.monotonic())
    assert "database" not in client.get("/health/ready").json().get("warnings", {})
