"""Node, for what other people published for it."""

import fcntl
import shutil
import subprocess
from pathlib import Path

import pytest


def node_with_packages(folder: Path) -> str:
    """Return Node's program, with the folder's packages installed as locked: once, by one of the test processes."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        pytest.fail("Node 20 or newer is needed: run the tests with `make test`, which brings one.", pytrace=False)
    lock = folder / "package-lock.json"
    installed = folder / "node_modules" / ".package-lock.json"
    with lock.open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    # The program itself, not a script that starts it: a signal to it ends it.
    return subprocess.run(
        [program, "-p", "process.execPath"], check=True, capture_output=True, text=True
    ).stdout.strip()
