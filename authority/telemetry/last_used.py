"""When was a secret last used, and from where? Noted in memory, written by a thread, never in the request."""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import Error, connection, transaction
from django.db.models import Q
from django.utils import timezone

from clients.actions.secrets import GRACE_AFTER_FIRST_USE
from clients.models import Client, ClientSecret, TrustRule

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Use:
    client: int
    first: datetime
    last: datetime
    ip: str | None


_lock = threading.Lock()
_noted: dict[UUID, Use] = {}


def record(client: int, proof: UUID | None, ip: str | None) -> None:
    """Note that the client authenticated just now, with the secret or by the rule where it has one."""
    now = timezone.now()
    proof = proof or UUID(int=client)  # the name of no row, so that the client alone is written
    with _lock:
        use = _noted.get(proof)
        if use is None:
            _noted[proof] = Use(client, now, now, ip)
        else:
            use.last, use.ip = now, ip


def flush() -> None:
    """Write what was noted, in a few statements however much it is."""
    with _lock:
        uses = dict(_noted)
        _noted.clear()
    if not uses:
        return
    try:
        write_secrets(uses)
        _write_proofs(TrustRule, uses)
        _write_clients(uses)
    except Error:
        with _lock:  # the database is away: keep it for the next round
            for secret, use in uses.items():
                newer = _noted.get(secret)
                if newer is None:
                    _noted[secret] = use
                else:
                    newer.first = use.first
        raise


@transaction.atomic
def write_secrets(uses: dict[UUID, Use]) -> None:
    for secret in _write_proofs(ClientSecret, uses):
        _end_predecessors(secret, uses[secret].first + GRACE_AFTER_FIRST_USE)


def _write_proofs(table: type[ClientSecret | TrustRule], uses: dict[UUID, Use]) -> list[UUID]:
    """Note when the rows were last used, and from where; return those that had never been used before.

    They are locked in the order of the primary key, so that two workers never wait for each other.
    """
    noted = [(proof, use.last, use.ip) for proof, use in uses.items()]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH own AS MATERIALIZED (
                SELECT id, last_used_at AS before FROM {table._meta.db_table}
                WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
            )
            UPDATE {table._meta.db_table} AS proof SET last_used_at = noted.last, last_used_ip = noted.ip
            FROM unnest(%s::uuid[], %s::timestamptz[], %s::inet[]) AS noted (id, last, ip) JOIN own USING (id)
            WHERE proof.id = noted.id AND (own.before IS NULL OR own.before < noted.last)
            RETURNING proof.id, own.before
            """,  # noqa: S608  # names of our own tables
            [list(uses), *([*column] for column in zip(*noted, strict=True))],
        )
        return [proof for proof, before in cursor.fetchall() if before is None]


def _end_predecessors(secret: UUID, end: datetime) -> None:
    """Give the secrets that were to end after the first use of this one their end; so too those that it overtook."""
    older = {secret}
    while older:
        found = set(ClientSecret.objects.filter(ends_after_use_of__in=older).values_list("pk", flat=True))
        ClientSecret.objects.filter(pk__in=found).filter(Q(expires_at=None) | Q(expires_at__gt=end)).update(
            expires_at=end
        )
        older = found


def _write_clients(uses: dict[UUID, Use]) -> None:
    """Note when clients were last used; locks as above."""
    latest: dict[int, datetime] = {}
    for use in uses.values():
        latest[use.client] = max(use.last, latest.get(use.client, use.last))
    table = Client._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH own AS MATERIALIZED (SELECT id FROM {table} WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE)
            UPDATE {table} AS client SET last_used_at = greatest(client.last_used_at, noted.last)
            FROM unnest(%s::bigint[], %s::timestamptz[]) AS noted (id, last) JOIN own USING (id)
            WHERE client.id = noted.id
            """,  # noqa: S608  # the name of our own table
            [list(latest), list(latest), list(latest.values())],
        )


def forget() -> None:
    """Begin with nothing noted, in a process that was forked: the parent writes what it noted."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the fork
    _lock = threading.Lock()
    _noted.clear()
