"""The one connection of each process that listens for changes in PostgreSQL (LISTEN/NOTIFY).

Triggers on the tables send the subjects, so that raw SQL and cascades notify too (authority/sql/directory.sql). A
heartbeat on the same connection shows twice a second that it works: a notification that was sent before it has been
delivered by the time that it is answered.
"""

import logging
import secrets
import threading
import time
from functools import partial
from typing import Any

import psycopg
from django.conf import settings
from django.db import Error, connection

from core import cache, clock
from core.db import availability, outages
from core.db.own_connection import own_connection

logger = logging.getLogger(__name__)

CHANNEL = "directory"
HEARTBEAT = 0.4  # seconds, well below cache.MAX_STALENESS
DELIVERY_TIMEOUT = 2.0  # seconds within which a message to ourselves must arrive
MIN_RETRY_DELAY, MAX_RETRY_DELAY = 0.1, 5.0  # seconds between attempts to connect


class NotificationsNotDelivered(Exception):
    """The connection works, but what is sent to its channel does not arrive."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL's notifications do not arrive, so every token request asks the database. A pooler in "
            "transaction mode drops them: set LISTEN_DATABASE_URL to the address of the database itself."
        )


def start() -> None:
    """Listen in a thread from now on."""
    listen = partial(run, threading.Event(), compares_clocks=True)
    threading.Thread(target=listen, name=availability.LISTENER, daemon=True).start()
    availability.watch(probe)


def run(stop: threading.Event, *, compares_clocks: bool = False) -> None:
    """Listen until `stop` is set, reconnecting after every failure; compare the clocks if this machine's is real."""
    delay = MIN_RETRY_DELAY
    while not stop.is_set():
        started = time.monotonic()
        try:
            _listen(stop, compares_clocks=compares_clocks)
        except (Error, psycopg.Error, NotificationsNotDelivered) as error:
            if outages.is_outage(error):
                outages.report(error, __name__)
            else:
                logger.warning("not listening for changes, trying again in %.1f s: %s", delay, error)
        except Exception:
            logger.exception("not listening for changes, trying again in %.1f s", delay)
        if time.monotonic() - started > MAX_RETRY_DELAY:
            delay = MIN_RETRY_DELAY
        stop.wait(delay)
        delay = min(delay * 2, MAX_RETRY_DELAY)


def _listen(stop: threading.Event, *, compares_clocks: bool) -> None:
    """Invalidate caches until the connection breaks. Raises Error, psycopg.Error or NotificationsNotDelivered."""
    asked_at = time.monotonic()
    availability.ask(None)
    with own_connection(**settings.LISTEN_DATABASE) as own:
        try:
            own.connect()
            conn = own.connection
            conn.execute(f"LISTEN {CHANNEL}")
            availability.answered()
            cache.invalidate_all()
            verify_delivery(conn)
            while not stop.is_set():
                asked_at, asked_at_wall = time.monotonic(), time.time()
                availability.ask(conn)
                (database_time,) = conn.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
                availability.answered()
                if compares_clocks:
                    clock.measured(database_time, asked_at_wall, time.time())
                _drain(conn, 0)
                cache.mark_fresh(asked_at)
                _drain(conn, HEARTBEAT)
        finally:
            if time.monotonic() - asked_at < availability.OVERDUE:
                availability.answered()  # by a refusal


def probe() -> None:
    """Ask the database over a connection of its own. Raises django.db.Error when it does not answer."""
    with own_connection() as own, own.cursor() as cursor:
        cursor.execute("SELECT 1")


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
