"""Ory's published package for Node, unmodified, against the running server."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live import Server

HERE = Path(__file__).parent
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def package() -> str:
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
def run(package, server: Server) -> Run:
    """Run a script of this folder with a token of the demo's; return what it printed."""

    def run(name: str, whose: str = "manager_token", **told: str) -> dict[str, Any]:
        environ = os.environ | {
            "API_URL": server.url,
            "ORY_API_KEY": server.demo[whose],
            "ORY_PROJECT_SLUG": "x",
            **told,
        }
        command = [package, "--require", "./preload.cjs", "--import", "tsx", name]
        ran = subprocess.run(command, cwd=HERE, env=environ, check=False, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        heard: dict[str, Any] = json.loads(ran.stdout)
        return heard

    return run
