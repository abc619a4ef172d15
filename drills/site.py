"""The demo in a folder of its own, served on a database of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import ROOT, running
from benchmarks.servers import data_folder, manage_in, python
from drills.hostile_load import Target

PORT = "7711"
URL = f"http://127.0.0.1:{PORT}"


class CannotRun(Exception):
    """This machine lacks what the drill needs."""


@dataclass
class Site:
    """What `manage.py demo` has made. Its PostgreSQL is the embedded one, where `environ` names none."""

    data: Path
    demo: dict[str, Any]
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def target(self) -> Target:
        service = self.demo["clients"]["service"]
        return Target(URL, self.demo["operator_token"], (service["client_id"], service["client_secret"]))

    @contextmanager
    def serving(self, **environ: str) -> Iterator[psutil.Process]:
        command = [python(ROOT), "manage.py", "serve", "--workers", "2", "--port", PORT]
        usual = {"DATA_DIR": str(self.data), "PORT": PORT, "FAILURES_PER_MINUTE": "0"}
        with running(command, f"{URL}/health/ready", ROOT, **usual | self.environ | environ) as server:
            yield server

    def require_invariants(self) -> None:
        """Stop with the rows that must not be, where the drill has left some. Raises CalledProcessError."""
        manage_in(ROOT, self.data, "check_invariants", **self.environ)


@contextmanager
def site(**environ: str) -> Iterator[Site]:
    with data_folder() as data:
        yield Site(data, json.loads(manage_in(ROOT, data, "demo", "--json", PORT=PORT, **environ)), environ)
