"""The folder where the processes of a server count for /metrics, in files that each maps into its memory.

It is in memory where the system has such a folder: on a disk that is full, the first write to a mapped page kills the
process that wrote it (SIGBUS).
"""

import fcntl
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

PREFIX = "clientdesk-metrics-"
IN_MEMORY = "/dev/shm"  # noqa: S108  # Linux; the folder's name is random, and its mode 0700
ROOM = 1024 * 1024  # bytes, more than the counters of some processes take
LOCK = "lock"


@contextmanager
def metrics_folder() -> Iterator[str]:
    """Make the folder for as long as the block runs, and delete those of servers that were killed.

    Exits with one line where there is no room for it.
    """
    made = _make(IN_MEMORY) or _make(None)
    if made is None:
        sys.exit(
            "Clientdesk cannot start: there is no room for the counters of /metrics, neither in memory nor in the "
            "folder for temporary files. Set TMPDIR to one that can be written, or leave METRICS_TOKEN out."
        )
    folder, lock = made
    with lock:  # the processes that are forked hold it, too
        try:
            _delete_abandoned(folder.parent)
            yield str(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _make(parent: str | None) -> tuple[Path, FileIO] | None:
    """Return a new folder and its locked file, or None where it cannot be written or has no room."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    except OSError:
        return None
    try:
        lock = (folder / "new").open("wb", buffering=0)
        try:
            if lock.write(bytes(ROOM)) < ROOM:
                raise OSError("no room")
            lock.truncate(0)
            fcntl.flock(lock, fcntl.LOCK_EX)
            (folder / "new").rename(folder / LOCK)  # locked before anybody sees it
        except OSError:
            lock.close()
            raise
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return folder, lock


def _delete_abandoned(parent: Path) -> None:
    for lock in parent.glob(f"{PREFIX}*/{LOCK}"):
        with suppress(OSError), lock.open("rb") as file:  # of another user, or just deleted
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody holds it any more
            shutil.rmtree(lock.parent, ignore_errors=True)
