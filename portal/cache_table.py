"""The cache's table in PostgreSQL, which counts attempts to sign in: it drops what has expired and nothing else.

Django's own counts its rows at each write, and beyond MAX_ENTRIES deletes some that are alive: whoever filled the table
with counters of their own would get new tries.
"""

import base64
import pickle
from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import connection
from django.utils import timezone

_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
BATCH = 5_000  # rows that one statement deletes, so that none locks for long

_WRITES = {
    "set": """
        INSERT INTO portal_cache (cache_key, value, expires)
        VALUES (%(key)s, %(value)s, %(expires)s)
        ON CONFLICT (cache_key) DO UPDATE SET value = EXCLUDED.value, expires = EXCLUDED.expires""",
    "add": """
        INSERT INTO portal_cache AS kept (cache_key, value, expires)
        VALUES (%(key)s, %(value)s, %(expires)s)
        ON CONFLICT (cache_key) DO UPDATE SET value = EXCLUDED.value, expires = EXCLUDED.expires
        WHERE kept.expires < %(now)s""",
    "touch": "UPDATE portal_cache SET expires = %(expires)s WHERE cache_key = %(key)s AND expires >= %(now)s",
}
_DELETE = """
    DELETE FROM portal_cache WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM portal_cache WHERE expires < %s LIMIT %s FOR UPDATE SKIP LOCKED
    ))"""


class CacheTable(DatabaseCache):
    """Django's cache in the database, with a write of one statement, which culls nothing."""

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._write("set", key, value, timeout, version)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._write("add", key, value, timeout, version)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._write("touch", key, None, timeout, version)

    def _write(self, operation: str, key: str, value: Any, timeout: Any, version: int | None) -> bool:
        """Return whether a row was written."""
        until = self.get_backend_timeout(timeout)
        values: dict[str, str | datetime] = {
            "key": self.make_and_validate_key(key, version=version),
            "value": base64.b64encode(pickle.dumps(value, self.pickle_protocol)).decode("ascii"),
            "expires": _NEVER if until is None else datetime.fromtimestamp(until, tz=UTC),
            "now": timezone.now(),
        }
        with connection.cursor() as cursor:
            cursor.execute(_WRITES[operation], values)
            return bool(cursor.rowcount)


def delete_expired() -> None:
    """Delete the rows that have expired. Each batch is a transaction of its own."""
    more, now = True, timezone.now()
    while more:
        with connection.cursor() as cursor:
            cursor.execute(_DELETE, [now, BATCH])
            more = cursor.rowcount == BATCH
