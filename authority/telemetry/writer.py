"""The thread that writes what the other modules of this package buffer in memory."""

import atexit
import logging
import os
import threading
import time

from django.db import Error, connection

from authority.telemetry import daily_counts, last_used, metrics, problem_log

logger = logging.getLogger(__name__)

INTERVAL = 2.0  # seconds
BUFFERS = (last_used, daily_counts, problem_log)


def start() -> None:
    """Write regularly from now on, also in processes forked from this one, and once more at the end."""
    threading.Thread(target=_run, name="telemetry", daemon=True).start()
    atexit.register(_write)
    os.register_at_fork(after_in_child=_after_fork)


def flush() -> None:
    """Write everything that is pending. Raises django.db.Error."""
    for buffer in BUFFERS:
        buffer.flush()


def _run() -> None:
    while True:
        time.sleep(INTERVAL)
        _write()


def _write() -> None:
    try:
        metrics.flush()
        for buffer in BUFFERS:
            try:
                buffer.flush()
            except Error as error:
                logger.warning("%s could not be written yet: %s", buffer.__name__, type(error).__name__)
    finally:
        connection.close()


def _after_fork() -> None:
    """Begin with empty buffers and an own thread: the parent writes what it has buffered."""
    for buffer in BUFFERS:
        buffer.forget()
    metrics.reset()
    threading.Thread(target=_run, name="telemetry", daemon=True).start()
