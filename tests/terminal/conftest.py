"""`clientdesk` as a process of its own, against the running server."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live import Server


@dataclass
class Answer:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """Runs commands as a person of the demo, with a home of its own."""

    def __init__(self, url: str, token: str | None, home: Path) -> None:
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith(("CLIENTDESK", "ORY"))}
        self.environ |= {"CLIENTDESK_URL": url, "CLIENTDESK_HOME": str(home), "COLUMNS": "200"}
        if token:
            self.environ["CLIENTDESK_TOKEN"] = token
        self.home = home

    def run(self, *words: str, typed: str = "", **environ: str) -> Answer:
        """Run a command to its end. Every word must be text; what is secret goes in by `typed` or the environment."""
        ended = subprocess.run(
            [sys.executable, "-m", "portal.terminal.cli", *words],
            input=typed,
            env=self.environ | environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Answer(ended.returncode, ended.stdout, ended.stderr)

    def json(self, *words: str, **options: Any) -> Any:
        """Run a command that must succeed; return what it prints as JSON."""
        answer = self.run(*words, "--format", "json", **options)
        assert answer.status == 0, answer.err
        return answer.json


@pytest.fixture
def alice_at(server: Server, tmp_path) -> Terminal:
    return Terminal(server.url, server.demo["manager_token"], tmp_path)


@pytest.fixture
def operator_at(server: Server, tmp_path) -> Terminal:
    return Terminal(server.url, server.demo["operator_token"], tmp_path)


@pytest.fixture
def nobody_at(server: Server, tmp_path) -> Terminal:
    return Terminal(server.url, None, tmp_path)
