"""The one connection of each process that listens for changes in PostgreSQL (LISTEN/NOTIFY).

Triggers on the tables send the subjects, so that raw SQL and cascades notify too (authority/sql/directory.sql). A
heartbeat on the same connection shows twice a second that it works: a notification that was sent before it has been
delivered by the time that it is answered.
"""

import logging
import os
import secrets
import threading
import time
from typing import Any

import psycopg
from django.conf import settings
from django.db import Error, connection

from core import cache

logger = logging.getLogger(__name__)

CHANNEL = "directory"
HEARTBEAT = 0.4  # seconds, well below cache.MAX_STALENESS
DELIVERY_TIMEOUT = 2.0  # seconds within which a message to ourselves must arrive
MIN_RETRY_DELAY, MAX_RETRY_DELAY = 0.1, 5.0  # seconds between attempts to connect
# Notice within seconds when the network swallows packets, instead of after a quarter of an hour.
CONNECTION_OPTIONS = {
    "connect_timeout": 5,  # seconds
    "keepalives_idle": 5,  # seconds
    "tcp_user_timeout": 5000,  # milliseconds
}


class NotificationsNotDelivered(Exception):
    """The connection works, but what is sent to its channel does not arrive."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL's notifications do not arrive, so every token request asks the database. A pooler in "
            "transaction mode drops them: set LISTEN_DATABASE_URL to the address of the database itself."
        )


def start() -> None:
    """Listen in a thread from now on, also in processes forked from this one."""
    _start_thread()
    os.register_at_fork(after_in_child=_after_fork)


def _start_thread() -> None:
    threading.Thread(target=run, args=[threading.Event()], name="listener", daemon=True).start()


def _after_fork() -> None:
    cache.reset_after_fork()
    _start_thread()


def run(stop: threading.Event) -> None:
    """Listen until `stop` is set, reconnecting after every failure."""
    delay = MIN_RETRY_DELAY
    while not stop.is_set():
        started = time.monotonic()
        try:
            _listen(stop)
        except (Error, psycopg.Error, NotificationsNotDelivered) as error:
            logger.warning("not listening for changes, trying again in %.1f s: %s", delay, error)
        except Exception:
            logger.exception("not listening for changes, trying again in %.1f s", delay)
        if time.monotonic() - started > MAX_RETRY_DELAY:
            delay = MIN_RETRY_DELAY
        stop.wait(delay)
        delay = min(delay * 2, MAX_RETRY_DELAY)


def _listen(stop: threading.Event) -> None:
    """Invalidate caches until the connection breaks. Raises Error, psycopg.Error or NotificationsNotDelivered."""
    wrapper = connection.copy()
    wrapper.settings_dict |= settings.LISTEN_DATABASE
    wrapper.settings_dict["OPTIONS"] = CONNECTION_OPTIONS | wrapper.settings_dict["OPTIONS"]
    try:
        wrapper.connect()
        conn = wrapper.connection
        conn.execute(f"LISTEN {CHANNEL}")
        cache.invalidate_all()
        verify_delivery(conn)
        while not stop.is_set():
            sent_at = time.monotonic()
            conn.execute("SELECT 1")
            _drain(conn, 0)
            cache.mark_fresh(sent_at)
            _drain(conn, HEARTBEAT)
    finally:
        wrapper.close()


def _drain(conn: Any, seconds: float) -> set[str]:
    """Wait for notifications, at most so long; invalidate their subjects, and return these."""
    changed = {notice.payload for notice in conn.notifies(timeout=seconds, stop_after=1)}
    if changed:
        cache.invalidate(changed)
    return changed


def verify_delivery(conn: Any) -> None:
    """Send a message over another connection, as those who change rows do. Raises NotificationsNotDelivered."""
    message = f"hello {secrets.token_hex(8)}"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, message])
    finally:
        connection.close()
    deadline = time.monotonic() + DELIVERY_TIMEOUT
    while time.monotonic() < deadline:
        if message in _drain(conn, HEARTBEAT):
            return
    raise NotificationsNotDelivered
