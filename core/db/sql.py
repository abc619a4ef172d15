"""SQL that Django's schema editor cannot write, in files of its own which migrations install."""

from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent.parent


def read_sql(path: str) -> str:
    """Return the statements of a file, named from the project's root: `authority/sql/directory.sql`."""
    return (_ROOT / path).read_text()
