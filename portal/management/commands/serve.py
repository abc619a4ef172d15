"""`manage.py serve`: the web server and the worker, as one process group."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from contextlib import suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from authority.keys import checks
from portal import environment
from portal.database_version import refuse_unknown_database
from portal.processes import end_with_parent

# That a worker holds at once: Granian counts idle ones too, and those on which a request comes a letter at a time. Half
# of the files that a process may commonly open.
CONNECTIONS = 512
LONGEST_HEAD = 32 * 1024  # bytes of first line and headers that are surely taken; beyond twice that they surely are not
KILL_TIMEOUT = 10  # seconds in which a worker ends what it has begun, once it is told to stop
STOPS = (signal.SIGINT, signal.SIGTERM)


class Server(Granian):
    """Granian, but a second signal cannot interrupt the handling of the first, which would wait for itself."""

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        for each in STOPS:
            signal.signal(each, signal.SIG_IGN)
        super().signal_handler_interrupt(*args, **kwargs)


def stop_workers_that_load() -> None:
    """Let SIGTERM end a worker from the moment of its fork until it has loaded, when Granian handles the signal.

    Else the server's own handler would take it there, or nobody, and the server would wait for the worker. Ctrl-C is
    the server's alone, which then sends SIGTERM.
    """

    def in_child() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)

    os.register_at_fork(
        before=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, STOPS),
        after_in_parent=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS),
        after_in_child=in_child,
    )


def missing_migrations() -> int:
    """Return how many migrations the database lacks; 0 while it is away, for it may come back."""
    try:
        executor = MigrationExecutor(connection)
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except OperationalError:
        return 0


def require_free(host: str, port: int) -> None:
    """Stop with one clear line when the address is taken: Granian would share it with another Granian in silence."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        sys.exit(f"Clientdesk cannot start: {host} port {port}: {error.strerror}. Set PORT to another.")


def run_in_turns() -> None:
    """Let a thread that wakes wait for its turn: Granian's would else interrupt one another twice a request (Linux)."""
    if hasattr(os, "SCHED_BATCH"):
        with suppress(OSError):  # where a sandbox forbids it, all is well but slower
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


class Command(BaseCommand):
    help = "Serve the portal with Granian, and run the worker that delivers mail, rotates keys and cleans up."
    requires_system_checks = []  # they load every page, and judge code, not this machine: `manage.py check` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host", default=environment.text("LISTEN_ADDRESS", "127.0.0.1"), help="address to listen on"
        )
        parser.add_argument("--port", type=int, default=settings.PORT, help="port to listen on")
        parser.add_argument("--workers", type=int, default=2, help="web processes, about one a core")
        parser.add_argument("--no-work", action="store_true", help="leave the worker to another process")

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Say where the processes count for /metrics, before anything that counts is loaded."""
        with tempfile.TemporaryDirectory(prefix="clientdesk-metrics-") as folder:
            os.environ[environment.METRICS_FOLDER] = folder
            return super().execute(*args, **options)

    def handle(self, *, host: str, port: int, workers: int, no_work: bool, **options: Any) -> None:
        refuse_unknown_database()
        if missing := missing_migrations():
            plural = "" if missing == 1 else "s"
            sys.exit(f"Clientdesk cannot start: the database lacks {missing} migration{plural}. Run manage.py migrate.")
        require_free(host, port)
        checks.exit_unless_decryptable()  # here, once, and not in each worker again and again
        connection.close()
        # The children use the database that this process has found or started.
        os.environ.setdefault("DATABASE_URL", settings.DATABASE_URL)
        if settings.DEMO:
            settings.DEMO_PORT_FILE.write_text(str(port))
            os.environ["PORT"] = str(port)
        command = [sys.executable, sys.argv[0], "work"]
        worker = None
        if not no_work:
            worker = subprocess.Popen(command, process_group=0, preexec_fn=partial(end_with_parent, os.getpid()))  # noqa: S603, PLW1509
        run_in_turns()
        stop_workers_that_load()
        try:
            # One thread a process runs Python; more would only take turns at the interpreter lock, but while one waits
            # for PostgreSQL another can work.
            Server(
                "portal.wsgi:application",
                address=host,
                port=port,
                interface=Interfaces.WSGI,
                http=HTTPModes.http1,
                workers=workers,
                blocking_threads=4,
                backpressure=CONNECTIONS,
                http1_settings=HTTP1Settings(max_buffer_size=LONGEST_HEAD),
                respawn_failed_workers=True,
                workers_kill_timeout=KILL_TIMEOUT,
                log_level=LogLevels.warning,
            ).serve()
        finally:
            if worker is not None:
                worker.terminate()
                worker.wait(timeout=15)
