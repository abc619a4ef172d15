"""A PostgreSQL whose disk is full, and has room again: of its data, or of its write-ahead log."""

import asyncio
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from drills import database, kills, postgres
from drills.kills import Doors
from drills.site import URL, CannotRun, site

SIZE = 256  # MiB
SPARE = 1 << 18  # bytes that the drill leaves, for the writes to fill
PORT = 7731


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """Mount a small file system in memory there. Raises CannotRun where that is not allowed."""
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=700", "drill", str(path)], check=False)
    if mounted.returncode:
        raise CannotRun("a file system of the drill's own may not be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def full(place: Path) -> Iterator[None]:
    """Fill the disk but for SPARE, which the writes do."""
    ballast = place / "ballast"
    free = os.statvfs(place)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_bsize - SPARE)
    try:
        yield
    finally:
        ballast.unlink()


def drill(seconds: float, *, is_of_log: bool) -> list[str]:
    """Return what was seen and kept with a disk of the data, or of the write-ahead log. Raises CannotRun."""
    with postgres.folder() as place, ExitStack() as stack:
        small = place / "disk"
        stack.enter_context(disk(small))
        postgres.give(small)
        data, wal = (place, small) if is_of_log else (small, place)
        cluster = postgres.Cluster(data / "data", place / "log", PORT)
        cluster.create("--wal-segsize=1", "--waldir", str(wal / "wal"))
        settings = ["min_wal_size=4MB", "max_wal_size=16MB"]
        ended = stack.enter_context(cluster.kept_running(settings))
        its = stack.enter_context(site(DATABASE_URL=cluster.url))
        with its.serving():
            doors = Doors(URL, its.demo)
            with kills.writing(doors):
                seen = asyncio.run(database.drill(its.target, full(small), seconds, after=15))
            its.require_invariants()
            broken = doors.broken(URL)
        return [
            *database.table(seen),
            "",
            f"PostgreSQL logged {lacks_space(cluster)} times that no space is left, and what looks after it",
            f"started it {len(ended)} times; Clientdesk ran on. {doors.unanswered} writes had no answer, or 503.",
            "Of what was acknowledged, before, during and after it:",
            "",
            *kills.promises({"": doors}, {"": broken}),
        ]


def lacks_space(cluster: postgres.Cluster) -> int:
    """Return how often the server has logged that it does."""
    return cluster.log.read_text(errors="replace").count("No space left on device")
