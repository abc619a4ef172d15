"""`clientdesk` as a process of its own, against the running server."""

import io
import json
import os
import subprocess
import sys
import uuid
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from clientdesk import cli
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
        foreign = ("CLIENTDESK", "ORY", "OAUTH2", "PYTHONDONTWRITEBYTECODE")  # the last would compile it each time
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self.environ |= {"CLIENTDESK_URL": url, "CLIENTDESK_HOME": str(home), "COLUMNS": "200"}
        if token:
            self.environ["CLIENTDESK_TOKEN"] = token
        self.home = home

    def run(self, *words: str, typed: str = "", **environ: str) -> Answer:
        """Run a command to its end. Every word must be text; what is secret goes in by `typed` or the environment."""
        ended = subprocess.run(
            [sys.executable, "-m", "clientdesk.cli", *words],
            input=typed,
            env=self.environ | environ,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=120,
            check=False,
        )
        return Answer(ended.returncode, ended.stdout, ended.stderr)

    def call(self, *words: str, typed: str = "", **environ: str) -> Answer:
        """Run a command in this process, which is quicker: for the many ways in which a command line is wrong."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, self.environ | environ, clear=True),
            mock.patch.object(sys, "argv", ["clientdesk", *words]),
            mock.patch.object(sys, "stdin", io.StringIO(typed)),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                cli.main()
            except SystemExit as end:
                return Answer(int(end.code or 0), out.getvalue(), err.getvalue())
        return Answer(0, out.getvalue(), err.getvalue())

    def json(self, *words: str, **options: Any) -> Any:
        """Run a command that must succeed in this process; return what it prints as JSON."""
        answer = self.call(*words, "--format", "json", **options)
        assert answer.status == 0, answer.err
        return answer.json

    def create(self, *flags: str) -> Any:
        """Create a client of a name of its own; return it, with its secret."""
        return self.json("create", "client", "--name", f"Terminal {uuid.uuid4().hex[:8]}", *flags)


@pytest.fixture
def alice_at(server: Server, tmp_path) -> Terminal:
    return Terminal(server.url, server.demo["manager_token"], tmp_path)


@pytest.fixture
def operator_at(server: Server, tmp_path) -> Terminal:
    return Terminal(server.url, server.demo["operator_token"], tmp_path)


@pytest.fixture
def nobody_at(server: Server, tmp_path) -> Terminal:
    return Terminal(server.url, None, tmp_path)


@pytest.fixture
def offline(tmp_path: Path) -> Terminal:
    """A terminal whose server does not run: whatever is sent ends with status 6."""
    return Terminal("http://127.0.0.1:1", "cdp_nobody", tmp_path)


@pytest.fixture
def service(alice_at: Terminal) -> Any:
    """A client for client_credentials, as the program returned it."""
    return alice_at.create("--grant-type", "client_credentials", "--scope", "shipments:read")


@pytest.fixture
def credentials(server: Server) -> tuple[str, str]:
    """The client ID and the secret of a client for client_credentials."""
    return server.service()
