"""What the worker deletes once an hour, with a million rows in each table that grows: seconds, and the longest batch.

Run it with `uv run python -m benchmarks.sweeps`; it takes ten minutes and 6 GB of disk.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.pages import start
from benchmarks.servers import data_folder

ROWS = Path(__file__).with_name("aged.sql")
COUNT = 1_000_000
TABLES = [
    *("authority_dailycount", "authority_spentidentifier", "django_session", "usersessions_usersession"),
    *("core_submission", "core_message"),
]


def main() -> None:
    with data_folder() as data:
        start(data)
        from authority import tasks
        from authority.telemetry import daily_counts
        from benchmarks import crowd
        from consumers.accounts.session_cleanup import delete_expired_sessions
        from core import idempotency, mail

        crowd.fill(10_000, COUNT)
        crowd.write(ROWS, TABLES, {"rows": COUNT})
        print(f"{'':<28}{'rows':>12}{'seconds':>10}{'longest':>10}   milliseconds of a batch")
        for name, sweep in {
            "counts of tokens": daily_counts.delete_old,
            "sessions": delete_expired_sessions,
            "forms": idempotency.delete_old,
            "mail": mail.delete_old,
            "tokens, families, sign-ins": tasks.delete_expired,
        }.items():
            report(name, sweep)


def report(name: str, sweep: Callable[[], None]) -> None:
    from django.db import connection

    from core import sweeps

    longest, rows, delete = 0.0, 0, sweeps._delete

    def timed(*arguments: Any) -> int:
        nonlocal longest, rows
        begun = time.perf_counter()
        deleted = delete(*arguments)
        longest, rows = max(longest, time.perf_counter() - begun), rows + deleted
        return deleted

    sweeps._delete = timed  # type: ignore[assignment]
    begun = time.perf_counter()
    sweep()
    sweeps._delete = delete
    print(f"{name:<28}{rows:12,}{time.perf_counter() - begun:10.0f}{longest * 1000:10.0f}", flush=True)
    connection.close()


if __name__ == "__main__":
    main()
