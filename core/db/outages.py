"""What the database is to blame for, and for how long: told from faults of ours, and logged once a minute."""

import logging
import time

import psycopg
from django.db import InterfaceError, InternalError, OperationalError

logger = logging.getLogger(__name__)

INTERVAL = 60.0  # seconds between two lines of one process
# The SQLSTATEs that arrive as InternalError, among faults of ours: the database may only be read now, as on a standby
# or while operators set it so, and the server has ended a transaction that took too long.
_INTERNAL = frozenset(["25006", "25P03", "25P04"])

DISK_FULL = "53100"

_disk_full_until = 0.0  # on time.monotonic(): how long it is told that the database has no room
_failures = 0  # since the last line; threads may miscount it a little
_silent_until = 0.0  # on time.monotonic()


def is_outage(error: BaseException | None) -> bool:
    """Say whether the same request may succeed in a moment: the server is away, read-only or too slow."""
    if isinstance(error, InternalError):
        error = error.__cause__
    if isinstance(error, psycopg.InternalError):
        return error.sqlstate in _INTERNAL
    return isinstance(error, OperationalError | InterfaceError | psycopg.OperationalError | psycopg.InterfaceError)


def report(error: BaseException, where: str) -> None:
    """Log that an outage made something fail, in one line a minute: thousands of requests fail alike."""
    global _failures, _silent_until, _disk_full_until  # noqa: PLW0603
    cause = error.__cause__ or error
    if getattr(cause, "sqlstate", None) == DISK_FULL:
        _disk_full_until = time.monotonic() + INTERVAL
    _failures += 1
    if time.monotonic() < _silent_until:
        return
    failures, _failures = _failures, 0
    _silent_until = time.monotonic() + INTERVAL
    logger.error(
        "the database does not serve us: %s at %s: %s (failures since the last such line: %s)",
        type(cause).__name__,
        where,
        str(cause).partition("\n")[0],  # what follows may quote rows
        f"{failures:,}",
    )


def is_disk_full() -> bool:
    """Say whether a write of this process found no room in the last minute."""
    return time.monotonic() < _disk_full_until
