"""Whether the database answers, by the heartbeat of the connection that listens (core/notifications.py).

A server that is stopped, or behind a network that swallows packets, refuses nothing: whoever asks it waits. So a thread
looks whether the heartbeat is overdue. Then statements that wait are broken off, and no other is begun, until it is
answered. Meanwhile another connection is tried, since it may be one connection alone that is lost.
"""

import logging
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import OperationalError
from psycopg.pq import TransactionStatus

from core import cache

logger = logging.getLogger(__name__)

OVERDUE = 1.0  # seconds without an answer, after which the database counts as silent
LOOK_EVERY = 0.1  # seconds
PROBE_EVERY = 2.0  # seconds
# While its machine still acknowledges what it is sent, the server is stopped, and nobody can revoke anything. So long
# that is believed, in seconds, and what is remembered stays valid: from before it would be stale (core/cache.py).
TRUST_AFTER, TRUST_FROZEN = 0.1, 60.0

_asked_at: float | None = None  # when the heartbeat was sent that is not answered yet, on time.monotonic()
_listening: psycopg.Connection[Any] | None = None
_silent_since: float | None = None
_connections: WeakKeyDictionary[psycopg.Connection[Any], int] = WeakKeyDictionary()  # each with its thread


class DatabaseSilentError(OperationalError):
    """The database does not answer, so it is not asked."""


def require() -> None:
    """Raise DatabaseSilentError while the database does not answer."""
    if _silent_since is not None and threading.current_thread().name not in (LISTENER, PROBE):
        raise DatabaseSilentError("the database does not answer")


LISTENER, PROBE = "listener", "database-probe"  # names of the threads that find out whether it answers


def register(connection: psycopg.Connection[Any], thread: int) -> None:
    _connections[connection] = thread


def ask(connection: psycopg.Connection[Any] | None) -> None:
    """Note that the database has been asked something that it answers at once; None while connecting."""
    global _asked_at, _listening  # noqa: PLW0603
    _listening = connection
    if _asked_at is None:
        _asked_at = time.monotonic()


def answered() -> None:
    """Note that it has answered, be it by a refusal."""
    global _asked_at  # noqa: PLW0603
    _asked_at = None


def interrupt(thread: int) -> None:
    """Break off the statement that the thread waits for: it raises OperationalError there."""
    for connection, its_thread in list(_connections.items()):
        if its_thread == thread and _is_waiting(connection):
            _cut(connection)


def watch(probe: Callable[[], None]) -> None:
    """Look after the heartbeat in a thread from now on. `probe` asks the database over a new connection, or raises."""
    threading.Thread(target=_watch, args=[probe], name="database-watch", daemon=True).start()


def _watch(probe: Callable[[], None]) -> None:
    probing: threading.Thread | None = None
    probed_at = 0.0
    while True:
        time.sleep(LOOK_EVERY)
        try:
            _look()
            now = time.monotonic()
            if _silent_since is not None and now - probed_at > PROBE_EVERY and not (probing and probing.is_alive()):
                probed_at = now
                probing = threading.Thread(target=_probe, args=[probe], name=PROBE, daemon=True)
                probing.start()
        except Exception:
            logger.exception("the database could not be watched")


def _look() -> None:
    """Find out whether the heartbeat is overdue, and act on it."""
    global _silent_since  # noqa: PLW0603
    now, asked_at, listening = time.monotonic(), _asked_at, _listening
    is_answered = asked_at is None or (listening is not None and _has_answer(listening))
    waited = 0.0 if asked_at is None or is_answered else now - asked_at
    if listening is not None and TRUST_AFTER < waited < TRUST_FROZEN and _is_acknowledged(listening):
        cache.mark_fresh(now)
    if waited < OVERDUE:
        if _silent_since is not None:
            logger.warning("the database answers again, after %.1f s", now - _silent_since)
            _silent_since = None
        return
    if _silent_since is None:
        _silent_since = now - waited
        logger.error("the database does not answer")
    for connection in list(_connections):
        if connection is not listening and _is_waiting(connection):
            _cut(connection)


def _probe(probe: Callable[[], None]) -> None:
    """Where a new connection is answered, the old ones are lost: drop them, so that they are opened anew."""
    try:
        probe()
    except Exception:  # it does not answer, as we know
        return
    time.sleep(4 * LOOK_EVERY)  # where the database has come to itself, the heartbeat is answered by now
    if _silent_since is not None:
        for connection in list(_connections):
            _cut(connection)


def _has_answer(connection: psycopg.Connection[Any]) -> bool:
    """Return whether the answer is there, and only its thread has had no turn yet."""
    with suppress(OSError, ValueError, psycopg.Error):
        return bool(select.select([connection.fileno()], [], [], 0)[0])
    return True  # it is closed, which is an answer


def _is_waiting(connection: psycopg.Connection[Any]) -> bool:
    return not connection.closed and connection.pgconn.transaction_status == TransactionStatus.ACTIVE


def _is_acknowledged(connection: psycopg.Connection[Any]) -> bool:
    """Return whether the other machine has received all that it was sent, by what Linux knows of the connection."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as link:
        if link.family == socket.AF_UNIX:
            return True
        if hasattr(socket, "TCP_INFO"):
            told = link.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 28)
            return bool(struct.unpack_from("=I", told, 24)[0] == 0)  # tcpi_unacked of linux/tcp.h
    return False


def _cut(connection: psycopg.Connection[Any]) -> None:
    """Shut the connection down, so that whoever waits for it hears of its end."""
    with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as link:
        link.shutdown(socket.SHUT_RDWR)
