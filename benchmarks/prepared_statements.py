"""What one look-up by key costs: Django's cursor, psycopg's prepared statements, and core/db/prepared.py, in turns.

`uv run python -m benchmarks.prepared_statements` prints microseconds for each call, as the median of rounds: of this
process's CPU, and on the wall with the server's part. The statement is the one that asks whether a token was revoked.
"""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import django

from benchmarks.servers import data_folder, demo
from portal import startup

ROUNDS, CALLS = 15, 2000
SQL = "SELECT EXISTS (SELECT FROM authority_revokedtoken WHERE jti = %s)"


def ways() -> dict[str, Callable[[str], Any]]:
    """Return each way to run the statement, by its name."""
    from django.db import connection

    from core.db.prepared import Statement

    connection.ensure_connection()
    own = connection.connection
    statement = Statement("benchmark", SQL)

    def django_cursor(value: str) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(SQL, [value])
            return cursor.fetchone()

    def psycopg_prepared(value: str) -> Any:
        return own.execute(SQL, [value], prepare=True).fetchone()

    kept = own.cursor()

    def psycopg_prepared_one_cursor(value: str) -> Any:
        return kept.execute(SQL, [value], prepare=True).fetchone()

    return {
        "Django's cursor": django_cursor,
        "psycopg, prepare=True": psycopg_prepared,
        "psycopg, prepare=True, one cursor kept": psycopg_prepared_one_cursor,
        "core/db/prepared.py": lambda value: statement.run(own, (value,)),
    }


def main() -> None:
    """Print a row for each way, asked on a database of its own."""
    with data_folder() as data:
        demo(data)
        os.environ |= {"DJANGO_SETTINGS_MODULE": "portal.settings", "DATA_DIR": str(data)}
        startup.prepare()
        django.setup()
        measure()


def measure() -> None:
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for name, run in ways().items():
            assert run("warm") == (False,)
            cpu, wall = time.process_time(), time.perf_counter()
            for number in range(CALLS):
                run(f"jti-{number}")
            spent = (time.process_time() - cpu) / CALLS * 1e6, (time.perf_counter() - wall) / CALLS * 1e6
            found.setdefault(name, []).append(spent)
    print("| Way | CPU here, µs | on the wall, µs |")
    print("| --- | --- | --- |")
    for name, rounds in found.items():
        cpu, wall = (statistics.median(each) for each in zip(*rounds, strict=True))
        print(f"| {name} | {cpu:.0f} | {wall:.0f} |")


if __name__ == "__main__":
    main()
