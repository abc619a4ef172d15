"""Each example API as a process of its own, behind the running server."""

import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.live import Server
from tests.node import node_with_packages
from tests.servers import free_port, running

EXAMPLES = settings.BASE_DIR / "examples"
AUDIENCE = "https://api.meridian.example/shipments"


def claims(issuer: str) -> dict[str, Any]:
    """Return what a good access token for the examples says, for a minute."""
    now = int(time.time())
    return {
        "iss": issuer,
        "sub": "cl_somebody",
        "aud": AUDIENCE,
        "client_id": "cl_somebody",
        "scope": "shipments:read",
        "iat": now,
        "exp": now + 60,
        "jti": uuid.uuid4().hex,
    }


@pytest.fixture(scope="session")
def uv() -> str:
    return subprocess.run([settings.BASE_DIR / ".ci" / "uv"], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the packages of the example beside it."""
    return node_with_packages(EXAMPLES / "node-api")


@contextmanager
def serving(issuer: str, command: list[str], folder: Path) -> Iterator[str]:
    """Run an example that trusts the issuer; yield the address of its shipments."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/shipments"
    environ = own_environ() | {"ISSUER": issuer, "AUDIENCE": AUDIENCE, "PORT": str(port)}
    with running(command, url, environ, folder):
        yield url


def own_environ() -> dict[str, str]:
    """Return our environment without our packages: an example brings its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("VIRTUAL_ENV", "UV_"))}


@pytest.fixture(scope="session")
def python_command(uv) -> list[str]:
    return [uv, "run", "--quiet", "--locked", "api.py"]


@pytest.fixture(scope="session")
def node_command(node) -> list[str]:
    return [node, "api.js"]


@pytest.fixture(scope="session")
def python_api(server: Server, python_command) -> Iterator[str]:
    with serving(server.url, python_command, EXAMPLES / "python-api") as url:
        yield url


@pytest.fixture(scope="session")
def node_api(server: Server, node_command) -> Iterator[str]:
    with serving(server.url, node_command, EXAMPLES / "node-api") as url:
        yield url


@pytest.fixture(params=["python", "node"])
def api(request) -> str:
    """The address of each example API in turn."""
    return request.getfixturevalue(f"{request.param}_api")
