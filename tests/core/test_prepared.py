"""The question that nearly every request asks: prepared once on each connection, never where that would not hold."""

import gc
import threading

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authority.models import RevokedToken
from authority.tokens import validation
from core import cache
from core.db import prepared
from core.db.prepared import Statement

pytestmark = pytest.mark.django_db(transaction=True)
JTI = "0192f0c1e0ce7b0c9b1d6b7f5d0a4e11"
AROUND = {"HOST": "around.the.pooler.example"}


def statements():
    """Return what this connection has prepared, and how often it was run."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, generic_plans + custom_plans FROM pg_prepared_statements")
        return dict(cursor.fetchall())


@pytest.fixture
def revoked(db):
    return RevokedToken.objects.create(jti=JTI, expires_at=timezone.now())


@pytest.fixture
def heard(monkeypatch):
    """The database's news reach this process."""
    monkeypatch.setattr(cache, "is_fresh", lambda: True)


@pytest.fixture
def fresh(db):
    """A connection that has prepared nothing."""
    connection.close()


@pytest.mark.parametrize("jti", [JTI, "x", "é", "'; --", "%s", ""])
def test_both_ways_find_the_same(revoked, fresh, heard, settings, jti):
    found = validation.is_revoked(jti)
    assert found == (jti == JTI)
    assert statements() == {validation.REVOKED.name: 1}
    settings.LISTEN_DATABASE = AROUND
    assert validation.is_revoked(jti) == found
    assert statements() == {validation.REVOKED.name: 1}


def test_a_statement_is_prepared_once_on_each_connection(heard, fresh):
    for _ in range(3):
        validation.is_revoked(JTI)
    assert statements() == {validation.REVOKED.name: 3}
    connection.close()
    validation.is_revoked(JTI)
    assert statements() == {validation.REVOKED.name: 1}


def test_what_another_connection_commits_is_found_at_once(heard, fresh):
    assert not validation.is_revoked(JTI)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("INSERT INTO authority_revokedtoken (jti, expires_at) VALUES (%s, now())", [JTI])
    other.close()
    assert validation.is_revoked(JTI)


def test_a_transaction_sees_what_it_wrote(heard, fresh):
    with transaction.atomic():
        RevokedToken.objects.create(jti=JTI, expires_at=timezone.now())
        assert validation.is_revoked(JTI)
        transaction.set_rollback(True)
    assert not validation.is_revoked(JTI)


def test_behind_a_pooler_nothing_is_prepared(heard, fresh, settings):
    """The next statement may reach another server process, which knows of none."""
    settings.LISTEN_DATABASE = AROUND
    assert not validation.is_revoked(JTI)
    assert statements() == {}


def test_where_no_news_arrive_nothing_is_prepared(fresh):
    """A pooler in transaction mode drops them, whatever the settings say."""
    with CaptureQueriesContext(connection) as asked:
        assert not validation.is_revoked(JTI)
    assert [each["sql"] for each in asked] == [validation.REVOKED.sql.replace("%s", f"'{JTI}'")]
    assert statements() == {}


def test_a_database_that_went_away_is_an_operational_error_until_django_connects_anew(heard, fresh):
    validation.is_revoked(JTI)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    other.close()
    for _ in range(2):
        with pytest.raises(OperationalError):
            validation.is_revoked(JTI)
    connection.close_if_unusable_or_obsolete()  # as each request does that takes the ordinary way
    assert not validation.is_revoked(JTI)


def test_a_mistake_is_an_error_of_djangos_and_harms_nothing_else(heard, fresh):
    with pytest.raises(ProgrammingError, match="nowhere"):
        Statement("a mistake", "SELECT 1 FROM nowhere WHERE x = %s").first("x")
    assert not validation.is_revoked(JTI)


def test_other_threads_run_while_the_database_thinks(heard, fresh):
    slow = Statement("a slow one", "SELECT 1 FROM pg_advisory_lock(7) WHERE %s <> ''")
    thread = threading.Thread(target=lambda: (slow.first("x"), connection.close()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7)")
        thread.start()
        thinking = False
        while not thinking:  # were this thread kept waiting too, it would be for ever
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            thinking = cursor.fetchone()[0] == 1
        cursor.execute("SELECT pg_advisory_unlock(7)")
    thread.join()


def test_a_closed_connection_is_remembered_no_longer(heard, fresh):
    validation.is_revoked(JTI)
    before = len(prepared._prepared)
    connection.close()
    gc.collect()
    assert len(prepared._prepared) < before
