"""Connections apart from the one that Django keeps for each thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper


@contextmanager
def own_connection(**changes: Any) -> Iterator[BaseDatabaseWrapper]:
    """Give a connection of its own to the block, to the database that these settings name, and close it.

    With `settings.LISTEN_DATABASE` it leads around a pooler, which would drop what it is told, or give others the locks
    of its session.
    """
    own = connection.copy()
    own.settings_dict |= changes
    try:
        yield own
    finally:
        own.close()
