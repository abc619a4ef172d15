"""Files that are replaced whole: whoever reads one finds what was there before, or all of what is new."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Write a file that only its owner can read, and put it in place when the block has ended without an error.

    Raises OSError, and leaves nothing behind then.
    """
    place = path.resolve()  # a symbolic link stays one
    draft = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def reserving(path: Path, size: int) -> Iterator[None]:
    """Hold so many bytes of disk beside the file until the block ends. Raises OSError where there is no room."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.reserved")
    try:
        with open(draft, "wb") as file:
            file.write(os.urandom(size))
            file.flush()
            os.fsync(file.fileno())
        yield
    finally:
        draft.unlink(missing_ok=True)
