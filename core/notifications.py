"""The one connection of each process on which PostgreSQL tells what has changed (LISTEN/NOTIFY).

Triggers on the tables send the subjects, so that raw SQL and cascades are heard of too: see the migration
`0009_directory`. A beat on the same connection shows twice a second that it lives; news that precede it have arrived by
the time that it is answered.
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
BEAT = 0.4  # seconds, well below memory.TRUST
PATIENCE = 2.0  # seconds in which a message to ourselves must arrive
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds between attempts to connect
# Notice within seconds when the network swallows packets, instead of after a quarter of an hour.
TCP = {"connect_timeout": 5, "keepalives_idle": 5, "tcp_user_timeout": 5000}  # seconds, seconds, milliseconds


class Unheard(Exception):
    """The connection answers, but what is sent to its channel does not arrive."""

    def __init__(self) -> None:
        super().__init__(
            "PostgreSQL's notifications do not arrive, so every token request asks the database. A pooler in "
            "transaction mode drops them: set LISTEN_DATABASE_URL to the address of the database itself."
        )


def start() -> None:
    """Listen from now on, also in processes forked from this one."""
    _start_thread()
    os.register_at_fork(after_in_child=_after_fork)


def _start_thread() -> None:
    threading.Thread(target=run, args=[threading.Event()], name="listener", daemon=True).start()


def _after_fork() -> None:
    cache.begin_again_after_fork()
    _start_thread()


def run(stop: threading.Event) -> None:
    """Listen until `stop` is set, whatever happens to the connection."""
    pause = SHORTEST_PAUSE
    while not stop.is_set():
        begun = time.monotonic()
        try:
            _listen(stop)
        except (Error, psycopg.Error, Unheard) as error:
            logger.warning("not listening for changes, trying again in %.1f s: %s", pause, error)
        except Exception:
            logger.exception("not listening for changes, trying again in %.1f s", pause)
        if time.monotonic() - begun > LONGEST_PAUSE:
            pause = SHORTEST_PAUSE
        stop.wait(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _listen(stop: threading.Event) -> None:
    """Pass on news until the connection breaks. Raises Error, psycopg.Error or Unheard."""
    own = connection.copy()
    own.settings_dict |= settings.LISTEN_DATABASE
    own.settings_dict["OPTIONS"] = TCP | own.settings_dict["OPTIONS"]
    try:
        own.connect()
        heard = own.connection
        heard.execute(f"LISTEN {CHANNEL}")
        cache.forget_everything()
        require_hearing(heard)
        while not stop.is_set():
            beat = time.monotonic()
            heard.execute("SELECT 1")
            _pass_on(heard, 0)
            cache.trust(beat)
            _pass_on(heard, BEAT)
    finally:
        own.close()


def _pass_on(heard: Any, seconds: float) -> set[str]:
    """Wait for news at most this long; forget what they are about, and return it."""
    changed = {notice.payload for notice in heard.notifies(timeout=seconds, stop_after=1)}
    if changed:
        cache.forget(changed)
    return changed


def require_hearing(heard: Any) -> None:
    """Send ourselves a message over another connection, as those who change something do. Raises Unheard."""
    hello = f"hello {secrets.token_hex(8)}"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, hello])
    finally:
        connection.close()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if hello in _pass_on(heard, BEAT):
            return
    raise Unheard
