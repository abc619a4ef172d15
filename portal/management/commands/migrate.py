"""`manage.py migrate`: Django's own, one at a time, but for a database that another version has migrated."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError

from core.db.own_connection import own_connection
from portal.database_version import refuse_unknown_database

LOCK = 0x636C69656E74  # of PostgreSQL's advisory locks; any number that nobody else uses
PAUSE = 0.5  # seconds


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with alone():
                refuse_unknown_database()
                super().handle(*args, **options)
        except OperationalError as error:
            raise CommandError(f"The database cannot be reached: {str(error).partition('\n')[0]}") from error


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other `migrate` runs on this database, of whichever machine, and keep others waiting.

    It is asked again and again, since a statement that waits would hold up an index that is made CONCURRENTLY. The lock
    ends with its connection, whatever ends that.
    """
    with own_connection(**settings.LISTEN_DATABASE) as own:
        with own.cursor() as cursor:
            while True:
                cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
                if cursor.fetchone()[0]:
                    break
                time.sleep(PAUSE)
        yield
