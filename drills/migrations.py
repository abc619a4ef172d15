"""`manage.py migrate`, twice at once and killed in its middle, and the version before beside this one."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.harness import ROOT
from benchmarks.servers import manage, python

FIRST, STEP = 2.0, 1.0  # seconds: a slow machine may do nothing in the first ones

# What a database looks like, however it came to be so: everything that a migration can make.
SCHEMA = """
    SELECT format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT format('index %s %s', indexrelid::regclass, pg_get_indexdef(indexrelid)) || indisvalid
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT format('trigger %s', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT format('function %s', pg_get_functiondef(oid)) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
    UNION ALL SELECT format('migration %s.%s', app, name) FROM django_migrations
"""


def schema_of(data: Path) -> set[str]:
    """Return the same of the embedded database of a folder, which runs while a command of ours does."""
    code = (
        "import json; from django.db import connection; from drills.migrations import SCHEMA; "
        "cursor = connection.cursor(); cursor.execute(SCHEMA); print(json.dumps(cursor.fetchall()))"
    )
    return {text for (text,) in json.loads(manage(data, "shell", "--verbosity", "0", "--command", code))}


def schema(conninfo: str) -> set[str]:
    """Return what the database holds, but for its rows: one text for each thing."""
    with psycopg.connect(conninfo) as connection:
        return {str(text) for (text,) in connection.execute(SCHEMA)}


@contextmanager
def migrating(environ: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `migrate` beside the block; it is killed at the block's end, unless it has ended."""
    command = [python(ROOT), "manage.py", "migrate", "--verbosity", "0", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)  # nothing, where it has ended
        process.wait()


def two_at_once(environ: Mapping[str, str], *arguments: str) -> list[int]:
    """Return with which status each of two ended that were started together."""
    with migrating(environ, *arguments) as one, migrating(environ, *arguments) as other:
        return [one.wait(), other.wait()]


def killed_again_and_again(environ: Mapping[str, str], seed: int = 1) -> int:
    """Migrate again and again, each killed after some seconds more, until one ends; return how many were killed."""
    chance, kills = random.Random(seed), 0
    while True:
        with migrating(environ) as process:
            deadline = time.monotonic() + chance.uniform(FIRST, FIRST + STEP) + kills * STEP
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            if process.poll() is not None:
                assert process.returncode == 0
                return kills
        kills += 1
