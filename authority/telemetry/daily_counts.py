"""How many tokens were issued and refused each day, counted in memory and written by the writer thread."""

import threading
from datetime import date, timedelta

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from authority.models import DailyCount
from clients.models import Client

KEPT = timedelta(days=400)

_lock = threading.Lock()
_counts: dict[tuple[int, date], list[int]] = {}  # client and day: issued, refused


def count(client: int, *, issued: bool) -> None:
    """Count one response of the token endpoint."""
    key = (client, timezone.now().date())
    with _lock:
        counts = _counts.get(key)
        if counts is None:
            counts = _counts[key] = [0, 0]
        counts[0 if issued else 1] += 1


def flush() -> None:
    """Write the counts in one statement, however many they are.

    Raises django.db.Error. What the database refuses for another reason than that it is away is not tried again.
    """
    with _lock:
        counts = dict(_counts)
        _counts.clear()
    if not counts:
        return
    try:
        write_counts(counts)
    except (OperationalError, InterfaceError):
        with _lock:  # the database is away: keep it for the next round
            for key, (issued, refused) in counts.items():
                newer = _counts.setdefault(key, [0, 0])
                newer[0] += issued
                newer[1] += refused
        raise


def write_counts(counts: dict[tuple[int, date], list[int]]) -> None:
    """Add to the day's counts of clients that still exist.

    The client is locked before its count, in the order of the key, as whoever deletes it does: so nobody waits in a
    circle, and no key is broken at the end.
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


def forget() -> None:
    """Begin with no counts, in a process that was forked: the parent writes its own."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the fork
    _lock = threading.Lock()
    _counts.clear()


def delete_old() -> None:
    """Delete counts of more than a year ago."""
    DailyCount.objects.filter(day__lt=(timezone.now() - KEPT).date()).delete()
