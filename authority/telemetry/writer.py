"""The thread that writes what the other modules of this package buffer in memory."""

import logging
import threading
import time

from django.db import Error, connection

from authority.telemetry import daily_counts, last_used, metrics, problem_log, redigests
from core.db import outages

logger = logging.getLogger(__name__)

INTERVAL = 2.0  # seconds
BUFFERS = (last_used, redigests, daily_counts, problem_log)


def start() -> None:
    """Write regularly from now on."""
    threading.Thread(target=_run, name="telemetry", daemon=True).start()


def stop() -> None:
    """Write what is pending, once more, before the process ends."""
    _write()


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
                if outages.is_outage(error):
                    outages.report(error, buffer.__name__)
                else:
                    logger.warning("%s could not be written: %s", buffer.__name__, type(error).__name__)
    finally:
        connection.close()
