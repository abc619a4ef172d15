"""Two `migrate` at once, after one that was killed in the middle of a migration: the schema is that of a clean one."""

import os
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from drills import migrations
from tests.live import database, drop_database, migrated_database

UNTIL = ("consumers", "0002_sql")  # the tables and triggers of one room
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@contextmanager
def empty_database(name, blocker):
    """Yield the address of a new database."""
    drop_database(name, blocker)
    with database("postgres", blocker), connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        yield urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
    finally:
        drop_database(name, blocker)


@pytest.fixture
def two_databases(django_db_setup, django_db_blocker):
    name = migrated_database(django_db_blocker)
    with (
        empty_database(f"{name}_killed", django_db_blocker) as one,
        empty_database(f"{name}_clean", django_db_blocker) as other,
    ):
        yield one, other


def environ_of(url):
    return os.environ | {"DATABASE_URL": url}


def test_what_a_killed_migrate_began_is_finished_by_two_at_once(two_databases):
    killed, clean = two_databases
    with (
        migrations.migrating(environ_of(clean), *UNTIL) as other,
        psycopg.connect(killed) as in_the_way,
        psycopg.connect(killed, autocommit=True) as looking,
    ):
        in_the_way.execute("CREATE TABLE consumers_membership (id int)")
        with migrations.migrating(environ_of(killed), *UNTIL) as process:
            deadline = time.monotonic() + 60
            while not looking.execute(BLOCKED).fetchone()[0]:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        in_the_way.rollback()
        done = {name for (name,) in looking.execute("SELECT name FROM django_migrations WHERE app = 'consumers'")}
        assert done == set(), "it was killed in the middle of the first"
        assert migrations.two_at_once(environ_of(killed), *UNTIL) == [0, 0]
        assert other.wait(60) == 0
    assert len(migrations.schema(clean)) > 100
    assert migrations.schema(killed) == migrations.schema(clean)
