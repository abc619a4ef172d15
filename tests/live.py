"""The real server: `manage.py serve` on a database of its own, filled by `manage.py demo`.

The fixture `server` is known everywhere by tests/conftest.py; imported twice, it would be two servers on one database.
Its data are committed, so a test that uses it asks for no `db`; what a test changes through `server.database()` stays
until the session ends.
"""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases

from clients.actions.clients import register_client
from clients.metadata import TEMPLATES
from clients.policy import portal_policy
from consumers.audit import SYSTEM
from consumers.models import Consumer
from portal.processes import end_with_parent
from tests import patient


@dataclass
class Server:
    """A running Clientdesk: its address, what `manage.py demo --json` printed, and its environment."""

    url: str
    demo: dict[str, Any] = field(repr=False)
    environ: dict[str, str] = field(repr=False)
    blocker: Any = field(repr=False)

    @contextmanager
    def database(self) -> Iterator[None]:
        """Let the test's own process read and write the server's database, through the product's code."""
        with database(urlsplit(self.environ["DATABASE_URL"]).path[1:], self.blocker):
            yield

    def shell(self, code: str) -> None:
        """Run Python in the product's own shell, where mail goes the way that it really goes."""
        command = [sys.executable, "manage.py", "shell", "--command", code]
        subprocess.run(command, cwd=settings.BASE_DIR, env=self.environ, check=True, stdout=subprocess.DEVNULL)

    def service(self) -> tuple[str, str]:
        """Register a service client of Acme's that no other test touches; return its ID and its secret."""
        client_id, secret = self.register("service", scope=("shipments:read", "shipments:write"))
        assert secret is not None
        return client_id, secret

    def register(self, template: str, **metadata: Any) -> tuple[str, str | None]:
        """Register a client of Acme's; return its ID and its secret, if it has one."""
        with self.database():
            acme = Consumer.objects.get(slug="acme")
            wanted = TEMPLATES[template].replace(client_name=f"Test {uuid.uuid4()}", **metadata)
            client, secret = register_client(consumer=acme, metadata=wanted, policy=portal_policy, actor=SYSTEM)
        return client.client_id, secret

    def token(self, scope: str = "shipments:read", service: tuple[str, str] | None = None) -> str:
        """Return an access token for a service client, by default a new one."""
        answer = patient.post(
            f"{self.url}/oauth2/token",
            data={"grant_type": "client_credentials", "scope": scope},
            auth=service or self.service(),
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest.fixture(scope="session")
def server(django_db_setup, django_db_blocker, tmp_path_factory) -> Generator[Server]:
    """A real server of this test process alone, on a free port."""
    template = migrated_database(django_db_blocker)
    name, data, port = f"{template}_live", tmp_path_factory.mktemp("live"), free_port()
    environ = {key: value for key, value in os.environ.items() if key not in ("EMAIL_URL", "VIRTUAL_ENV")} | {
        "DATABASE_URL": urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl(),
        "DATA_DIR": str(data),
        "PORT": str(port),
        "METRICS_TOKEN": "a-token-for-prometheus-alone",
        "FETCH_LOCAL_HOSTS": "127.0.0.1",  # where tests serve keys and documents
    }
    # The same keys and peppers, so that a test can read what the server has encrypted.
    shutil.copy(settings.DATA_DIR / "identity.json", data)
    copy_database(template, name, django_db_blocker)
    demo = subprocess.run(
        [sys.executable, "manage.py", "demo", "--json"],
        cwd=settings.BASE_DIR,
        env=environ,
        check=True,
        stdout=subprocess.PIPE,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        with running([sys.executable, "manage.py", "serve", "--workers", "1"], f"{url}/health/ready", environ):
            yield Server(url, json.loads(demo.stdout), environ, django_db_blocker)
    finally:
        drop_database(name, django_db_blocker)


def migrated_database(blocker: Any) -> str:
    """Return the test database's name; pytest-django makes it only when a test of the session asks for `db`."""
    if not connection.settings_dict["NAME"].startswith("test_"):
        with blocker.unblock():
            setup_databases(verbosity=0, interactive=False, keepdb=True)
            connection.close()
    return str(connection.settings_dict["NAME"])


@contextmanager
def running(
    command: list[str], ready: str, environ: dict[str, str], cwd: Path = settings.BASE_DIR
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends, from the moment that its address answers anything below 500."""
    dies_with_us = partial(end_with_parent, os.getpid())
    process = subprocess.Popen(command, cwd=cwd, env=environ, start_new_session=True, preexec_fn=dies_with_us)  # noqa: PLW1509
    try:
        wait_for(ready, process)
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever it has started and left behind
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with status {process.returncode}; its words stand above.")
        try:
            if httpx.get(url, timeout=5).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} seconds.")


# Below the ports that systems give to connections by themselves (Linux from 32768): a server takes its port seconds
# after we chose it, and nobody may have it by then. Each test process has a hundred of its own.
_ports = itertools.cycle(range(20_000 + os.getpid() % 100 * 100, 20_100 + os.getpid() % 100 * 100))


def free_port() -> int:
    """Return a port that nobody listens at, and that was not returned before."""
    for port in itertools.islice(_ports, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


@contextmanager
def database(name: str, blocker: Any) -> Iterator[None]:
    """Point Django's connection at another database of the same server."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        with blocker.unblock():
            yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual


def copy_database(template: str, name: str, blocker: Any) -> None:
    """Copy a database, such as the migrated test database, which is quicker than migrating again.

    Nobody may be connected to it meanwhile; a test that has ended may have left a connection to be closed some day.
    """
    drop_database(name, blocker)
    with database("postgres", blocker), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s", [template])
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def drop_database(name: str, blocker: Any) -> None:
    with database("postgres", blocker), connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
