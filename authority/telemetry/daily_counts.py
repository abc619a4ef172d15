"""How many tokens were issued and refused each day, counted in memory and written by the writer thread."""

import threading
import time
from collections.abc import Iterable
from datetime import date, timedelta

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from authority.models import DailyCount
from clients.models import Client
from core.db import outages
from core.sweeps import delete_in_batches

_lock = threading.Lock()
_counts: dict[tuple[int, int], list[int]] = {}  # client, and day since 1970 in UTC: issued, refused
DAY = 86_400  # seconds
EPOCH = date(1970, 1, 1)


def count(client: int, *, issued: bool) -> None:
    """Count one response of the token endpoint."""
    key = (client, int(time.time()) // DAY)
    with _lock:
        counts = _counts.get(key)
        if counts is None:
            counts = _counts[key] = [0, 0]
        counts[0 if issued else 1] += 1


def issued_since(clients: Iterable[int], first: date) -> Iterable[tuple[int, date, int]]:
    """Return client, day in UTC and number of tokens issued, from that day on, as far as it is written."""
    counts = DailyCount.objects.filter(client__in=list(clients), day__gte=first).order_by()
    return counts.values_list("client_id", "day", "issued")


def flush() -> None:
    """Write the counts in one statement, however many they are.

    Raises django.db.Error. Only when the database is away are they kept for the next round.
    """
    with _lock:
        counts = dict(_counts)
        _counts.clear()
    if not counts:
        return
    try:
        write_counts(_by_date(counts))
    except Error as error:
        if outages.is_outage(error):
            with _lock:  # keep them for the next round
                for key, (issued, refused) in counts.items():
                    newer = _counts.setdefault(key, [0, 0])
                    newer[0] += issued
                    newer[1] += refused
        raise


def write_counts(counts: dict[tuple[int, date], list[int]]) -> None:
    """Add to the day's counts of clients that still exist.

    The client is locked before its count, in the order of the key, as its deletion does: so there is no deadlock, and
    no foreign key is violated at commit.
    """
    rows = sorted((client, day, issued, refused) for (client, day), (issued, refused) in counts.items())
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH live AS (SELECT id FROM {Client._meta.db_table} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE)
            INSERT INTO {DailyCount._meta.db_table} AS kept (client_id, day, issued, refused)
            SELECT client, day, issued, refused
            FROM unnest(%s::bigint[], %s::date[], %s::bigint[], %s::bigint[]) AS new (client, day, issued, refused)
            JOIN live ON live.id = client ORDER BY client, day
            ON CONFLICT (client_id, day) DO UPDATE
            SET issued = kept.issued + excluded.issued, refused = kept.refused + excluded.refused
            """,  # noqa: S608  # names of our own tables
            [[row[0] for row in rows], *([*column] for column in zip(*rows, strict=True))],
        )


def pending() -> dict[tuple[int, date], list[int]]:
    """Return the counts that are not written yet."""
    with _lock:
        return _by_date(_counts)


def _by_date(counts: dict[tuple[int, int], list[int]]) -> dict[tuple[int, date], list[int]]:
    return {(client, EPOCH + timedelta(day)): numbers for (client, day), numbers in counts.items()}


def reset() -> None:
    """Begin empty in a forked process: the parent writes its own counts."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the fork
    _lock = threading.Lock()
    _counts.clear()


def delete_old() -> None:
    """Delete counts of longer ago than the setting says."""
    oldest = timezone.now().date() - timedelta(days=settings.RETENTION_DAYS["USAGE"])
    delete_in_batches(DailyCount.objects.filter(day__lt=oldest), "day")
