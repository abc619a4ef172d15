"""A second machine: another server of two workers on the usual one's database, under the same name to the world."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings

from tests.live import Server
from tests.network import Network
from tests.servers import free_port, running


@contextmanager
def another(server: Server, workers: int = 2) -> Iterator[str]:
    """Run it until the block ends; yield where it answers. PORT stays, for it makes the issuer's name."""
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--workers", str(workers), "--no-work", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    with running(command, f"{address}/health/ready", server.environ):
        yield address


@pytest.fixture(scope="module")
def second(server: Server) -> Iterator[str]:
    with another(server) as address:
        yield address


@pytest.fixture
def network() -> Iterator[Network]:
    """A network between a server and the tests' PostgreSQL."""
    carrier = Network()
    yield carrier
    carrier.close()


@pytest.fixture
def alone(tmp_path):
    """The demo with a PostgreSQL of its own: its environment, and what the demo says of itself."""
    environ = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "EMAIL_URL")}
    environ |= {"DATA_DIR": str(tmp_path / "data"), "PORT": str(free_port())}
    command = [sys.executable, "manage.py", "demo", "--json"]
    demo = subprocess.run(command, cwd=settings.BASE_DIR, env=environ, check=True, stdout=subprocess.PIPE)
    files = (tmp_path / "data" / "postgres").resolve()
    yield environ, json.loads(demo.stdout), files
    shutil.rmtree(files)


def demo_token(environ):
    """Return a personal access token of the operator's."""
    code = (
        "from datetime import timedelta; from django.utils import timezone; "
        "from consumers.actions.personal_tokens import create_token; "
        "from consumers.audit import SYSTEM; from consumers.models import User; "
        "print(create_token(user=User.objects.filter(is_superuser=True).first(), actor=SYSTEM, name='Drill', "
        "scopes=['clients:read'], expires_at=timezone.now() + timedelta(days=1))[1])"
    )
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", code]
    made = subprocess.run(command, cwd=settings.BASE_DIR, env=environ, check=True, stdout=subprocess.PIPE, text=True)
    return made.stdout.split()[-1]
