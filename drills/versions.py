"""The version before, serving beside this one: it runs while `migrate` does, and goes on on today's schema."""

import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from benchmarks.harness import ROOT, run, running
from benchmarks.servers import data_folder, manage, manage_in, python
from drills.kills import Doors, Unanswered, signed_in
from drills.site import CannotRun

BEFORE = "989fc81"  # the commit before the migrations that came after the first ones; a tag, once one is released
PORTS = {"before": "7721", "after": "7722"}


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """Yield a folder with that commit and what it locks. Raises CannotRun where the history lacks it."""
    if subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=ROOT, check=False).returncode:
        raise CannotRun(f"the history here does not reach back to {commit}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "before"
        run(["git", "worktree", "add", "--detach", str(folder), commit])
        try:
            uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
            run([uv, "sync", "--quiet", "--locked", "--no-dev"], folder, VIRTUAL_ENV="")
            yield folder
        finally:
            run(["git", "worktree", "remove", "--force", str(folder)])


def side_by_side(commit: str = BEFORE) -> tuple[dict[str, Doors], dict[str, Counter[str]]]:
    """Return what each version promised, and what the other found broken of it. Raises CannotRun."""
    with checkout(commit) as before, data_folder() as data:
        demo: dict[str, Any] = json.loads(manage_in(before, data, "demo", "--json"))
        with serving(before, data, "before") as old:
            manage(data, "migrate", "--verbosity", "0")
            manage(data, "check_invariants")
            with serving(ROOT, data, "after") as new:
                doors = {"before": write(old, demo), "after": write(new, demo)}
                broken = {"before": doors["before"].broken(new), "after": doors["after"].broken(old)}
        manage(data, "check_invariants")
        return doors, broken


@contextmanager
def serving(folder: Path, data: Path, name: str) -> Iterator[str]:
    """Serve a checkout on what is in the folder; PORT stays that of the one before, for it makes the issuer's name."""
    url = f"http://127.0.0.1:{PORTS[name]}"
    command = [python(folder), "manage.py", "serve", "--workers", "1", "--no-work", "--port", PORTS[name]]
    environ = {"DATA_DIR": str(data), "PORT": PORTS["before"], "FAILURES_PER_MINUTE": "0"}
    with running(command, f"{url}/health/ready", folder, **environ):
        yield url


def write(url: str, demo: dict[str, Any]) -> Doors:
    """Go through every door, a few times."""
    doors = Doors(url, demo)
    with httpx.Client(base_url=url, timeout=30) as http, signed_in(url, demo) as person:
        for _ in range(3):
            for deed in (doors.manage, doors.register, doors.invite, doors.token):
                with suppress(Unanswered):
                    deed(http)
            with suppress(Unanswered):
                doors.click(person)
            with suppress(Unanswered):
                doors.sign_in(http, person)
    return doors
