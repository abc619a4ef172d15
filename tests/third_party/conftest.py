"""Other people's OAuth clients, unmodified, against the running server."""

import fcntl
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live import Server
from tests.third_party.conversation import converse
from tests.third_party.person import Person

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the packages installed beside the scripts: once, by one of the test processes."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        pytest.fail("Node 20 or newer is needed: run the tests with `make test`, which brings one.", pytrace=False)
    lock = HERE / "package-lock.json"
    installed = HERE / "node_modules" / ".package-lock.json"
    with lock.open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=HERE, check=True, stdout=subprocess.DEVNULL)
    return program


@pytest.fixture
def person(server: Server) -> Person:
    alice = server.demo["managers"][0]
    return Person(server.url, alice["email"], alice["password"])


Script = Callable[..., dict[str, Any]]


@pytest.fixture
def script(node, server: Server, person) -> Script:
    """Run a script of this folder to its end; the person does in their browser what it asks for."""

    def run(name: str, **told: Any) -> dict[str, Any]:
        return converse([node, name], HERE, person, {"issuer": server.demo["issuer"], **told})

    return run
