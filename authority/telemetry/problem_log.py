"""The problem log: why requests of clients were refused, buffered, and written by the writer thread.

A stranger who knows a client ID can make that client's requests fail at will. So the log is bounded: equal problems are
one row, each kind has a few variants, and the rest of the kind is one row without details.
"""

import json
import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from authority.models import Problem
from clients.models import Client, ClientSecret
from core.db import outages
from core.sweeps import delete_in_batches

MAX_VARIANTS = 8  # of one kind, per client and endpoint
Kind = tuple[int, str, str]  # client, endpoint, kind
Key = tuple[int, str, str, str]  # and the details, as JSON


@dataclass(slots=True)
class PendingProblem:
    count: int
    first: datetime
    last: datetime
    error: str
    ip: str | None


_lock = threading.Lock()
_problems: dict[Key, PendingProblem] = {}
_variants: dict[Kind, int] = {}


def record(
    client: int, endpoint: str, kind: str, *, detail: dict[str, Any], error: str = "", ip: str | None = None
) -> None:
    """Record why a request of the client was refused now."""
    now = timezone.now()
    with _lock:
        _add(
            (client, endpoint[:20], kind[:60], _canonical_json(detail)),
            PendingProblem(1, now, now, error[:60], _ip_or_none(ip)),
        )


def _add(key: Key, new: PendingProblem) -> None:
    """Add to an equal problem; beyond MAX_VARIANTS, to the one without details."""
    known = _problems.get(key)
    if known is None and key[3] != "{}":
        if _variants.get(key[:3], 0) >= MAX_VARIANTS:
            return _add((*key[:3], "{}"), new)
        _variants[key[:3]] = _variants.get(key[:3], 0) + 1
    _problems[key] = new if known is None else _merge(known, new)
    return None


def _merge(one: PendingProblem, other: PendingProblem) -> PendingProblem:
    later = one if one.last > other.last else other
    return replace(later, count=one.count + other.count, first=min(one.first, other.first))


def _ip_or_none(ip: str | None) -> str | None:
    """Return an address that the database accepts; a Unix socket has none, a link-local one has a zone."""
    try:
        return ip_address((ip or "").partition("%")[0]).compressed
    except ValueError:
        return None


def _canonical_json(detail: dict[str, Any]) -> str:
    return json.dumps(detail, sort_keys=True)


def flush() -> None:
    """Write the pending problems, in a few statements however many they are.

    Raises django.db.Error. Only when the database is away are they kept for the next round.
    """
    with _lock:
        problems = dict(_problems)
        _problems.clear()
        _variants.clear()
    if not problems:
        return
    try:
        write_problems(_limit_variants(_resolve_secrets(problems)))
    except Error as error:
        if outages.is_outage(error):
            with _lock:  # keep them for the next round
                for key, entry in problems.items():
                    _add(key, entry)
        raise


def _resolve_secrets(problems: dict[Key, PendingProblem]) -> dict[Key, PendingProblem]:
    """Find out which secrets were sent: an ended one is named, of any other only its last characters are kept."""
    sent = {digest for key in problems for digest in json.loads(key[3]).get("digests", ())}
    ended = {
        (secret.client_id, secret.digest): secret
        for secret in (ClientSecret.objects.filter(digest__in=sent) if sent else ())
        if not secret.is_live
    }
    found: dict[Key, PendingProblem] = {}
    for (client, endpoint, kind, details), noted in problems.items():
        detail = json.loads(details)
        known = [ended[client, digest] for digest in detail.pop("digests", ()) if (client, digest) in ended]
        for secret in known:
            kind = "secret_revoked" if secret.revoked_at else "secret_expired"  # noqa: PLW2901
            detail = {"hint": secret.hint, "at": secret.ended_at.isoformat() if secret.ended_at else ""}
        key = (client, endpoint, kind, _canonical_json({name: value for name, value in detail.items() if value}))
        found[key] = _merge(found[key], noted) if key in found else noted
    return found


def _limit_variants(problems: dict[Key, PendingProblem]) -> dict[Key, PendingProblem]:
    """Put variants beyond MAX_VARIANTS into the kind's row without details."""
    rows = Problem.objects.filter(client__in={key[0] for key in problems}).exclude(detail={})
    stored: dict[Kind, set[str]] = {}
    for client, endpoint, kind, detail in rows.values_list("client_id", "endpoint", "kind", "detail"):
        stored.setdefault((client, endpoint, kind), set()).add(_canonical_json(detail))
    kept: dict[Key, PendingProblem] = {}
    for key, noted in problems.items():
        same = stored.setdefault(key[:3], set())
        if key[3] != "{}" and key[3] not in same and len(same) >= MAX_VARIANTS:
            key = (*key[:3], "{}")  # noqa: PLW2901
        elif key[3] != "{}":
            same.add(key[3])
        kept[key] = _merge(kept[key], noted) if key in kept else noted
    return kept


def write_problems(problems: dict[Key, PendingProblem]) -> None:
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


def pending() -> dict[Key, PendingProblem]:
    """Return the problems that are not written yet."""
    with _lock:
        return dict(_problems)


def reset() -> None:
    """Begin empty in a forked process: the parent writes its own problems."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the fork
    _lock = threading.Lock()
    _problems.clear()
    _variants.clear()


def delete_old() -> None:
    """Delete problems that were not seen for as many days as the setting says."""
    oldest = timezone.now() - timedelta(days=settings.RETENTION_DAYS["PROBLEM"])
    delete_in_batches(Problem.objects.filter(last_at__lt=oldest), "last_at")
