"""The shared cache on Redis or Valkey, or on the table in PostgreSQL while that server is away.

It counts how often people try to sign in. Without it the limits must not be gone, and nobody be locked out: so they
begin anew in the table, and back on Redis when it answers again.
"""

import logging
import time
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from django.db import DEFAULT_DB_ALIAS, connections
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from core.db.backend.base import DatabaseWrapper

logger = logging.getLogger(__name__)

PATIENCE = 1.0  # seconds for an answer, then the server counts as away
PAUSE = 10.0  # seconds until it is asked again, so that a person waits for it once at most
_away_until = 0.0  # on time.monotonic()


class RedisOrTable(RedisCache):
    """The operations that counting needs."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {"socket_connect_timeout": PATIENCE, "socket_timeout": PATIENCE, "retry": Retry(NoBackoff(), 0)}
        super().__init__(server, params | {"OPTIONS": options})

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._do("get", key, default, version)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._do("set", key, value, timeout, version)

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._do("add", key, value, timeout, version))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._do("delete", key, version))

    def _do(self, operation: str, *args: Any) -> Any:
        global _away_until  # noqa: PLW0603
        if time.monotonic() >= _away_until:
            try:
                result = getattr(super(), operation)(*args)
            except (RedisError, OSError) as error:
                _away_until = time.monotonic() + PAUSE
                logger.warning(
                    "Redis does not answer (%s); the table in PostgreSQL counts instead", type(error).__name__
                )
            else:
                if operation != "get":
                    _note_write()
                return result
        return getattr(caches["table"], operation)(*args)


def _note_write() -> None:
    """Note that something has come into effect, so that the request is not repeated (portal/middleware.py)."""
    database = connections[DEFAULT_DB_ALIAS]
    assert isinstance(database, DatabaseWrapper)
    database.has_written = True
