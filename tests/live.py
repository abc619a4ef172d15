"""The real server: `manage.py serve` on a database of its own, filled by `manage.py demo`.

The fixture `server` is known everywhere by tests/conftest.py; imported twice, it would be two servers on one database.
Its data are committed, so a test that uses it asks for no `db`; what a test changes through `server.database()` stays
until the session ends.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import setup_databases

from clients.actions.clients import register_client
from clients.metadata import TEMPLATES
from clients.policy import operator_policy
from consumers.audit import SYSTEM
from consumers.models import Consumer
from tests import patient
from tests.servers import free_port, running


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
            client, secret = register_client(consumer=acme, metadata=wanted, policy=operator_policy, actor=SYSTEM)
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
        "WORKSPACE_REQUESTS": "yes",
        "WORKSPACE_REQUEST_SCOPES": "shipments:read",
        "FETCH_LOCAL_HOSTS": "127.0.0.1",  # where tests serve keys and documents
    }
    # The same keys and peppers, so that a test can read what the server has encrypted.
    shutil.copy(settings.DATA_DIR / "identity.json", data)
    copy_database(template, name, django_db_blocker)
    role = create_application_role(name, django_db_blocker)
    environ["DATABASE_URL"] = with_user(environ["DATABASE_URL"], role)
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
        drop_role(role, django_db_blocker)


ROLE_SQL = re.compile(r"```sql\n(CREATE ROLE clientdesk_app .*?)```", re.DOTALL)


def create_application_role(name: str, blocker: Any) -> str:
    """Create the role that owns nothing, by the statements of docs/deploy.md; the server works as it does."""
    role, owner = f"{name}_app", str(connection.settings_dict["USER"])
    (statements,) = ROLE_SQL.findall((settings.BASE_DIR / "docs" / "deploy.md").read_text())
    drop_role(role, blocker)
    with database(name, blocker), connection.cursor() as cursor:
        cursor.execute(statements.replace("clientdesk_app", role).replace("FOR ROLE clientdesk ", f"FOR ROLE {owner} "))
    return role


def drop_role(role: str, blocker: Any) -> None:
    with database("postgres", blocker), connection.cursor() as cursor:
        cursor.execute(f'DROP ROLE IF EXISTS "{role}"')


def with_user(url: str, user: str) -> str:
    """Return the URL of a database for another role of the tests' PostgreSQL, which trusts any."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:another%20password@{parts.netloc.rpartition('@')[2]}").geturl()


def migrated_database(blocker: Any) -> str:
    """Return the test database's name; pytest-django makes it only when a test of the session asks for `db`."""
    if not connection.settings_dict["NAME"].startswith("test_"):
        with blocker.unblock():
            setup_databases(verbosity=0, interactive=False, keepdb=True)
            connection.close()
    return str(connection.settings_dict["NAME"])


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
