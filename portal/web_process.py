"""A web process, from its fork to its end."""

import os
import socket
from contextlib import suppress

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection

from authority.telemetry import writer
from core import notifications
from core.db.backend.base import WEB, bound_waits
from portal.access_log import AccessLog
from portal.fast_path import FastPath
from portal.server import event_loop


def run(listener: socket.socket) -> None:
    """Serve what comes to the listener until SIGTERM."""
    _run_in_turns()
    bound_waits(WEB)
    access_log = AccessLog(settings.ACCESS_LOG) if settings.ACCESS_LOG != "off" else None
    application = FastPath(WSGIHandler(), access_log)
    connection.close()  # requests run in threads that have connections of their own
    writer.start()
    notifications.start()
    if access_log is not None:
        access_log.start()
    event_loop.run(application, listener, is_behind_proxy=settings.ALLAUTH_TRUSTED_PROXY_COUNT > 0)
    if access_log is not None:
        access_log.stop()
    writer.stop()


def _run_in_turns() -> None:
    """Let a thread that wakes wait for its turn: the loop and the threads would else interrupt one another (Linux)."""
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):  # where a sandbox forbids it, all is well but slower
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
