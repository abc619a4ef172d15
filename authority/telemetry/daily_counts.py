"""How many tokens were issued and refused, and why they were refused: noted in memory, written by the usage thread.

A stranger who knows a client ID can make that client's requests fail as often as they like. So what is kept is bounded:
one row for all that is the same, few different ones of a kind, and the rest of the kind in one row without details.
"""

import json
import threading
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from authority.models import DailyCount, Problem
from clients.models import Client, ClientSecret

DIFFERENT = 8  # of one kind, per client and endpoint
KEPT = timedelta(days=30)
COUNTED = timedelta(days=400)

Kind = tuple[int, str, str]  # client, endpoint, kind
Key = tuple[int, str, str, str]  # and the details, as JSON


@dataclass(slots=True)
class Noted:
    count: int
    first: datetime
    last: datetime
    error: str
    ip: str | None


_lock = threading.Lock()
_counts: dict[tuple[int, date], list[int]] = {}
_problems: dict[Key, Noted] = {}
_different: dict[Kind, int] = {}


def count(client: int, *, issued: bool) -> None:
    """Count one answer of the token endpoint."""
    key = (client, timezone.now().date())
    with _lock:
        counts = _counts.get(key)
        if counts is None:
            counts = _counts[key] = [0, 0]
        counts[0 if issued else 1] += 1


def problem(
    client: int, endpoint: str, kind: str, *, detail: dict[str, Any], error: str = "", ip: str | None = None
) -> None:
    """Note why a request of the client was refused just now."""
    now = timezone.now()
    with _lock:
        note((client, endpoint[:20], kind[:60], written(detail)), Noted(1, now, now, error[:60], address(ip)))


def note(key: Key, new: Noted) -> None:
    """Add to what is the same; of too many different ones only that there were."""
    known = _problems.get(key)
    if known is None and key[3] != "{}":
        if _different.get(key[:3], 0) >= DIFFERENT:
            return note((*key[:3], "{}"), new)
        _different[key[:3]] = _different.get(key[:3], 0) + 1
    _problems[key] = new if known is None else together(known, new)
    return None


def together(one: Noted, other: Noted) -> Noted:
    later = one if one.last > other.last else other
    return replace(later, count=one.count + other.count, first=min(one.first, other.first))


def address(ip: str | None) -> str | None:
    """Return what the database takes for an address; a socket's caller has none, a link-local one has a zone."""
    try:
        return ip_address((ip or "").partition("%")[0]).compressed
    except ValueError:
        return None


def written(detail: dict[str, Any]) -> str:
    return json.dumps(detail, sort_keys=True)


# -- Writing ----------------------------------------------------------------------------------------------------------


def flush() -> None:
    """Write what was noted, in a few statements however much it is.

    Raises Error. What the database refuses for another reason than that it is away is not tried again.
    """
    with _lock:
        counts, problems = dict(_counts), dict(_problems)
        _counts.clear()
        _problems.clear()
        _different.clear()
    try:
        if counts:
            write_counts(counts)
            counts = {}
        if problems:
            write_problems(bounded(explained(problems)))
    except (OperationalError, InterfaceError):
        with _lock:  # the database is away: keep it for the next round
            for key, (issued, refused) in counts.items():
                newer = _counts.setdefault(key, [0, 0])
                newer[0] += issued
                newer[1] += refused
            for noted, old in problems.items():
                note(noted, old)
        raise


def explained(problems: dict[Key, Noted]) -> dict[Key, Noted]:
    """Find out which secrets were sent: one that has ended is named, of any other only what it ended in is kept."""
    sent = {digest for key in problems for digest in json.loads(key[3]).get("digests", ())}
    ended = {
        (secret.client_id, secret.digest): secret
        for secret in (ClientSecret.objects.filter(digest__in=sent) if sent else ())
        if not secret.is_live
    }
    found: dict[Key, Noted] = {}
    for (client, endpoint, kind, details), noted in problems.items():
        detail = json.loads(details)
        known = [ended[client, digest] for digest in detail.pop("digests", ()) if (client, digest) in ended]
        for secret in known:
            kind = "secret_revoked" if secret.revoked_at else "secret_expired"  # noqa: PLW2901
            detail = {"hint": secret.hint, "at": secret.ended_at.isoformat() if secret.ended_at else ""}
        key = (client, endpoint, kind, written({name: value for name, value in detail.items() if value}))
        found[key] = together(found[key], noted) if key in found else noted
    return found


def bounded(problems: dict[Key, Noted]) -> dict[Key, Noted]:
    """Put what would be too many different ones of a kind into the kind's row without details."""
    rows = Problem.objects.filter(client__in={key[0] for key in problems}).exclude(detail={})
    stored: dict[Kind, set[str]] = {}
    for client, endpoint, kind, detail in rows.values_list("client_id", "endpoint", "kind", "detail"):
        stored.setdefault((client, endpoint, kind), set()).add(written(detail))
    kept: dict[Key, Noted] = {}
    for key, noted in problems.items():
        same = stored.setdefault(key[:3], set())
        if key[3] != "{}" and key[3] not in same and len(same) >= DIFFERENT:
            key = (*key[:3], "{}")  # noqa: PLW2901
        elif key[3] != "{}":
            same.add(key[3])
        kept[key] = together(kept[key], noted) if key in kept else noted
    return kept


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


def write_problems(problems: dict[Key, Noted]) -> None:
    """Add to the problems of clients that still exist; locks as above."""
    rows = sorted((*key, noted.error, noted.count, noted.first, noted.last) for key, noted in problems.items())
    addresses = [problems[row[0], row[1], row[2], row[3]].ip for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH live AS (SELECT id FROM {Client._meta.db_table} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE)
            INSERT INTO {Problem._meta.db_table} AS kept
                (client_id, endpoint, kind, detail, error, count, first_at, last_at, last_ip)
            SELECT client, endpoint, kind, detail, error, count, first_at, last_at, ip
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::jsonb[], %s::text[], %s::bigint[],
                        %s::timestamptz[], %s::timestamptz[], %s::inet[])
                AS new (client, endpoint, kind, detail, error, count, first_at, last_at, ip)
            JOIN live ON live.id = client ORDER BY client, endpoint, kind, detail
            ON CONFLICT (client_id, endpoint, kind, detail) DO UPDATE
            SET count = kept.count + excluded.count, error = excluded.error,
                last_at = greatest(kept.last_at, excluded.last_at), last_ip = excluded.last_ip
            """,  # noqa: S608  # names of our own tables
            [[row[0] for row in rows], *([*column] for column in zip(*rows, strict=True)), addresses],
        )


def forget() -> None:
    """Begin with an empty note, in a process that was forked: the parent writes what it noted."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the fork
    _lock = threading.Lock()
    for noted in (_counts, _problems, _different):
        noted.clear()


def forget_old() -> None:
    """Delete problems that were not seen for a month, and counts of more than a year ago."""
    now = timezone.now()
    Problem.objects.filter(last_at__lt=now - KEPT).delete()
    DailyCount.objects.filter(day__lt=(now - COUNTED).date()).delete()
