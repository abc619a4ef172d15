"""Ory's published package for Node, unmodified, against the running server."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.live import Server
from tests.node import node_with_packages

HERE = Path(__file__).parent
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def package() -> str:
    """Node, with the packages beside the scripts."""
    return node_with_packages(HERE)


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
        ran = subprocess.run(command, cwd=HERE, env=environ, check=False, capture_output=True, text=True, timeout=120)
        assert ran.returncode == 0, ran.stderr
        heard: dict[str, Any] = json.loads(ran.stdout)
        return heard

    return run
