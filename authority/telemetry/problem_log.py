"""Why requests of clients were refused: noted in memory, written by the writer thread.

A stranger who knows a client ID can make that client's requests fail as often as they like. So what is kept is bounded:
one row for all that is the same, few different ones of a kind, and the rest of the kind in one row without details.
"""

import json
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from authority.models import Problem
from clients.models import Client, ClientSecret

DIFFERENT = 8  # of one kind, per client and endpoint
KEPT = timedelta(days=30)
Kind = tuple[int, str, str]  # client, endpoint, kind
Key = tuple[int, str, str, str]  # and the details, as JSON


@dataclass(slots=True)
class Entry:
    count: int
    first: datetime
    last: datetime
    error: str
    ip: str | None


_lock = threading.Lock()
_problems: dict[Key, Entry] = {}
_different: dict[Kind, int] = {}


def record(
    client: int, endpoint: str, kind: str, *, detail: dict[str, Any], error: str = "", ip: str | None = None
) -> None:
    """Note why a request of the client was refused just now."""
    now = timezone.now()
    with _lock:
        _note((client, endpoint[:20], kind[:60], _canonical_json(detail)), Entry(1, now, now, error[:60], _address(ip)))


def _note(key: Key, new: Entry) -> None:
    """Add to what is the same; of too many different ones only that there were."""
    known = _problems.get(key)
    if known is None and key[3] != "{}":
        if _different.get(key[:3], 0) >= DIFFERENT:
            return _note((*key[:3], "{}"), new)
        _different[key[:3]] = _different.get(key[:3], 0) + 1
    _problems[key] = new if known is None else _merge(known, new)
    return None


def _merge(one: Entry, other: Entry) -> Entry:
    later = one if one.last > other.last else other
    return replace(later, count=one.count + other.count, first=min(one.first, other.first))


def _address(ip: str | None) -> str | None:
    """Return what the database takes for an address; a socket's caller has none, a link-local one has a zone."""
    try:
        return ip_address((ip or "").partition("%")[0]).compressed
    except ValueError:
        return None


def _canonical_json(detail: dict[str, Any]) -> str:
    return json.dumps(detail, sort_keys=True)


def flush() -> None:
    """Write what was noted, in a few statements however much it is.

    Raises django.db.Error. What the database refuses for another reason than that it is away is not tried again.
    """
    with _lock:
        problems = dict(_problems)
        _problems.clear()
        _different.clear()
    if not problems:
        return
    try:
        write_problems(_bounded(_explained(problems)))
    except (OperationalError, InterfaceError):
        with _lock:  # the database is away: keep it for the next round
            for key, entry in problems.items():
                _note(key, entry)
        raise


def _explained(problems: dict[Key, Entry]) -> dict[Key, Entry]:
    """Find out which secrets were sent: one that has ended is named, of any other only what it ended in is kept."""
    sent = {digest for key in problems for digest in json.loads(key[3]).get("digests", ())}
    ended = {
        (secret.client_id, secret.digest): secret
        for secret in (ClientSecret.objects.filter(digest__in=sent) if sent else ())
        if not secret.is_live
    }
    found: dict[Key, Entry] = {}
    for (client, endpoint, kind, details), noted in problems.items():
        detail = json.loads(details)
        known = [ended[client, digest] for digest in detail.pop("digests", ()) if (client, digest) in ended]
        for secret in known:
            kind = "secret_revoked" if secret.revoked_at else "secret_expired"  # noqa: PLW2901
            detail = {"hint": secret.hint, "at": secret.ended_at.isoformat() if secret.ended_at else ""}
        key = (client, endpoint, kind, _canonical_json({name: value for name, value in detail.items() if value}))
        found[key] = _merge(found[key], noted) if key in found else noted
    return found


def _bounded(problems: dict[Key, Entry]) -> dict[Key, Entry]:
    """Put what would be too many different ones of a kind into the kind's row without details."""
    rows = Problem.objects.filter(client__in={key[0] for key in problems}).exclude(detail={})
    stored: dict[Kind, set[str]] = {}
    for client, endpoint, kind, detail in rows.values_list("client_id", "endpoint", "kind", "detail"):
        stored.setdefault((client, endpoint, kind), set()).add(_canonical_json(detail))
    kept: dict[Key, Entry] = {}
    for key, noted in problems.items():
        same = stored.setdefault(key[:3], set())
        if key[3] != "{}" and key[3] not in same and len(same) >= DIFFERENT:
            key = (*key[:3], "{}")  # noqa: PLW2901
        elif key[3] != "{}":
            same.add(key[3])
        kept[key] = _merge(kept[key], noted) if key in kept else noted
    return kept


def write_problems(problems: dict[Key, Entry]) -> None:
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
    """Begin with an empty log, in a process that was forked: the parent writes its own."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the fork
    _lock = threading.Lock()
    _problems.clear()
    _different.clear()


def delete_old() -> None:
    """Delete problems that were not seen for a month."""
    Problem.objects.filter(last_at__lt=timezone.now() - KEPT).delete()
