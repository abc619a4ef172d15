"""A second machine: another server of two workers on the usual one's database, under the same name to the world."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.live import Server
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
