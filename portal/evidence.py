"""Evidence: the record as it is, for whoever finds out what happened to it (docs/activity.md).

A ZIP file of any length that is made while it is sent. Its last member is a JWT over the SHA-256 of the others, so that
nobody can change the file afterwards.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error, connection, transaction
from django.utils import timezone

from authority.events import AuthorityEvent
from authority.keys import activity_heads, signing_keys
from consumers import audit
from consumers.activity import chain, verification
from consumers.audit import Actor
from consumers.models import Event, EventSeal, SignedHead, UnsealedEvent, Verification
from core.downloads import rows_of
from core.jose import jws
from core.jose.jws import Signer

TYPE = "activity-evidence+jwt"
PIECE = 64 * 1024  # bytes, about as many as are sent at a time
LONGEST_LOG = 64 * 1024 * 1024  # bytes: of a longer one, the end
VERIFICATIONS = 100  # the newest
CONTENTS = """\
The record of the activity, as it was when this file was made.

events.jsonl        a line for each event: the text whose SHA-256 is its digest
seals.jsonl         the chain: position, event, consumer and hashes
heads.jsonl         the signed heads that the database keeps
verifications.json  what the last verifications found
database.json       who owns the tables, who is a superuser, and whether the triggers work
postgresql.log      the end of PostgreSQL's own log, where the portal and whoever exports may read it
evidence.jwt        the SHA-256 of each of these files, signed by a key of the portal's JWKS
"""


def export(*, actor: Actor, with_log: bool) -> Iterator[bytes]:
    """Return the pieces of the file, with the end of PostgreSQL's log or without. Raises KeysNotDecryptable."""
    signer = signing_keys.signer(signing_keys.DEFAULT_ALGORITHM, seconds=0)
    with transaction.atomic():
        audit.record(AuthorityEvent.EVIDENCE_EXPORTED, actor=actor)
    return _pieces(signer, timezone.now(), with_log=with_log)


def _pieces(signer: Signer, made_at: datetime, *, with_log: bool) -> Iterator[bytes]:
    pipe, digests = _Pipe(), {}
    head = chain.head()
    with ZipFile(pipe, "w") as archive:
        for name, parts in _members(with_log=with_log):
            digest = hashlib.sha256()
            with archive.open(_entry(name, made_at), "w", force_zip64=True) as member:
                for part in parts:
                    digest.update(part)
                    member.write(part)
                    if pipe.size >= PIECE:
                        yield pipe.take()
            digests[name] = digest.hexdigest()
        claims = {
            "iss": settings.ISSUER,
            "iat": int(made_at.timestamp()),
            "position": head.position,
            "hash": head.hash.hex(),
            "sha256": digests,
        }
        archive.writestr(_entry("evidence.jwt", made_at), jws.encode(claims, signer, typ=TYPE))
    yield pipe.take()


def _entry(name: str, made_at: datetime) -> ZipInfo:
    entry = ZipInfo(f"evidence/{name}", date_time=made_at.timetuple()[:6])
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


class _Pipe(io.RawIOBase):
    """What ZipFile writes to, and what is taken from it: it cannot be sought in."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def take(self) -> bytes:
        taken, self.parts, self.size = b"".join(self.parts), [], 0
        return taken


# -- What it consists of ----------------------------------------------------------------------------------------------


def _members(*, with_log: bool) -> Iterator[tuple[str, Iterable[bytes]]]:
    yield "CONTENTS.txt", [CONTENTS.encode()]
    yield "database.json", [_json(_database())]
    yield "verifications.json", [_json([_verification(row) for row in Verification.objects.all()[:VERIFICATIONS]])]
    yield "heads.jsonl", (_line(_head(row)) for row in rows_of(SignedHead.objects.all()))
    yield "seals.jsonl", (_line(_seal(row)) for row in rows_of(EventSeal.objects.all()))
    yield "events.jsonl", (f"{text}\n".encode() for text in verification.event_texts())
    if with_log and (log := _log()):
        yield "postgresql.log", log


def _json(value: Any) -> bytes:
    return (json.dumps(value, cls=DjangoJSONEncoder, indent=2) + "\n").encode()


def _line(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, cls=DjangoJSONEncoder) + "\n").encode()


def _verification(row: Verification) -> dict[str, Any]:
    names = ("requested_at", "finished_at", "last_position", "expired", "heads", "problems", "named")
    return {name: getattr(row, name) for name in names}


def _head(row: SignedHead) -> dict[str, Any]:
    return {"kind": row.kind} | activity_heads.document(row)


def _seal(row: EventSeal) -> dict[str, Any]:
    return {
        "position": row.position,
        "event": row.event_id,
        "consumer": row.consumer_id,
        "digest": bytes(row.digest).hex(),
        "consumer_hash": bytes(row.consumer_hash).hex() if row.consumer_hash else None,
        "hash": bytes(row.hash).hex(),
    }


TABLES = """
SELECT tablename AS "table", tableowner AS owner FROM pg_tables
WHERE tablename = ANY(%s) ORDER BY 1
"""
TRIGGERS = """
SELECT tgrelid::regclass::text AS "table", tgname AS name, tgenabled IN ('O', 'A') AS works FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY(%s) ORDER BY 1, 2
"""
ROLES = """
SELECT rolname AS role, rolsuper AS superuser, rolcreaterole AS creates_roles, rolcanlogin AS logs_in,
    ARRAY(SELECT granted.rolname::text FROM pg_auth_members member JOIN pg_roles granted ON granted.oid = member.roleid
        WHERE member.member = pg_roles.oid) AS member_of
FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1
"""
SERVER = """
SELECT version() AS version, current_user::text AS "user", pg_postmaster_start_time() AS started_at, now() AS time
"""


def _database() -> dict[str, Any]:
    tables = [model._meta.db_table for model in (Event, EventSeal, UnsealedEvent, SignedHead)]
    return {
        "server": _rows(SERVER)[0],
        "tables": _rows(TABLES, tables),
        "triggers": _rows(TRIGGERS, tables),
        "roles": _rows(ROLES),
    }


def _rows(sql: str, *values: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _log() -> Iterator[bytes] | None:
    """Return the end of the log that PostgreSQL writes now; None where our role may not read it, or there is none."""
    with suppress(Error), transaction.atomic(), connection.cursor() as cursor:
        # Without a log collector the server of our own writes to the file `log` (portal/demo/postgres.py).
        cursor.execute("SELECT name, (pg_stat_file(name, true)).size FROM coalesce(pg_current_logfile(), 'log') name")
        name, size = cursor.fetchone()
        if size:
            return _log_pieces(name, max(size - LONGEST_LOG, 0), size)
    return None


def _log_pieces(name: str, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_read_binary_file(%s, %s, %s)", [name, start, min(PIECE, end - start)])
            piece = bytes(cursor.fetchone()[0])
        if not piece:
            return
        yield piece
        start += len(piece)
