"""`manage.py serve`: the web server and the worker, as one process group."""

import os
import signal
import socket
import sys
from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from authority.keys import checks
from portal import connections_file, environment, peppers, web_process
from portal.database_version import refuse_unknown_database
from portal.metrics_folder import metrics_folder
from portal.server.supervisor import Child, Supervisor

SEND_BUFFER = 128 * 1024  # bytes


def missing_migrations() -> int:
    """Return how many migrations the database lacks; 0 while it is away, for it may come back."""
    try:
        executor = MigrationExecutor(connection)
        return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except OperationalError:
        return 0


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there, for all web processes, or stop with one clear line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        sys.exit(f"Clientdesk cannot start: {host} port {port}: {os.strerror(error.errno or 0)}. Set PORT to another.")
    # Else Linux keeps megabytes for each client that does not read.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    listener.setblocking(False)
    return listener


def work() -> None:
    """Become `manage.py work`."""
    os.execv(sys.executable, [sys.executable, sys.argv[0], "work"])  # noqa: S606  # these are our own words


class Command(BaseCommand):
    help = "Serve the portal, and run the worker that delivers mail, rotates keys and cleans up."
    requires_system_checks = []  # they load every page, and judge code, not this machine: `manage.py check` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--host", default=environment.text("LISTEN_ADDRESS", "127.0.0.1"), help="address to listen on"
        )
        parser.add_argument("--port", type=int, default=settings.PORT, help="port to listen on")
        parser.add_argument("--workers", type=int, default=2, help="web processes, about one a core")
        parser.add_argument("--no-work", action="store_true", help="leave the worker to another process")

        parser.add_argument(
            "--unsafe-demo", action="store_true", help="serve the demo, whose passwords are known, to the network"
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Say where the processes count for /metrics, before anything that counts is loaded."""
        if not settings.METRICS_TOKEN:  # nobody asks
            return super().execute(*args, **options)
        with metrics_folder() as folder:
            os.environ[environment.METRICS_FOLDER] = folder
            return super().execute(*args, **options)

    def handle(self, *, host: str, port: int, workers: int, no_work: bool, unsafe_demo: bool, **options: Any) -> None:
        if settings.DEMO and host not in environment.LOOPBACK and not unsafe_demo:
            sys.exit(
                f"Clientdesk cannot start: whoever reaches {host} could sign in to the demo and read its mail. "
                "Leave LISTEN_ADDRESS at 127.0.0.1, or insist on it with --unsafe-demo."
            )
        refuse_unknown_database()
        if missing := missing_migrations():
            plural = "" if missing == 1 else "s"
            sys.exit(f"Clientdesk cannot start: the database lacks {missing} migration{plural}. Run manage.py migrate.")
        listener = listen(host, port)
        checks.exit_unless_decryptable()  # here, once, and not in each process again and again
        peppers.exit_unless_complete()
        connections_file.exit_unless_applied()
        connection.close()
        # The children use the database that this process has found or started.
        os.environ.setdefault("DATABASE_URL", settings.DATABASE_URL)
        if settings.DEMO:
            settings.DEMO_PORT_FILE.write_text(str(port))
            os.environ["PORT"] = str(port)
            self.stdout.write(f"  Serving. Ctrl-C stops it; the data stay in {settings.DATA_DIR}.")
            self.stdout.flush()
        children = [Child(f"web process {n}", partial(web_process.run, listener)) for n in range(1, workers + 1)]
        if not no_work:
            children.append(Child("the worker", work, ends_by=signal.SIGTERM))
        sys.exit(Supervisor(children, listener).run())
