"""When and from where secrets and trust rules were last used: buffered, and written by the writer thread."""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import Error, connection, transaction

from clients.actions.secrets import expire_predecessors
from clients.models import Client, ClientSecret, TrustRule

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Use:
    client: int
    first: float  # seconds since 1970
    last: float
    ip: str | None


_lock = threading.Lock()
_pending: dict[UUID, Use] = {}


def record(client: int, credential: UUID | None, ip: str | None) -> None:
    """Record that the client authenticated now, with this secret or trust rule if it has one."""
    now = time.time()
    credential = credential or UUID(int=client)  # no row's ID, so that only the client is written
    with _lock:
        use = _pending.get(credential)
        if use is None:
            _pending[credential] = Use(client, now, now, ip)
        else:
            use.last, use.ip = now, ip


def flush() -> None:
    """Write the pending uses, in a few statements however many they are."""
    with _lock:
        uses = dict(_pending)
        _pending.clear()
    if not uses:
        return
    try:
        write_secrets(uses)
        _write_credentials(TrustRule, uses)
        _write_clients(uses)
    except Error:
        with _lock:  # the database is away: keep them for the next round
            for secret, use in uses.items():
                newer = _pending.get(secret)
                if newer is None:
                    _pending[secret] = use
                else:
                    newer.first = use.first
        raise


@transaction.atomic
def write_secrets(uses: dict[UUID, Use]) -> None:
    for secret in _write_credentials(ClientSecret, uses):
        expire_predecessors(secret_id=secret, first_used_at=_moment(uses[secret].first))


def _write_credentials(table: type[ClientSecret | TrustRule], uses: dict[UUID, Use]) -> list[UUID]:
    """Write when and from where the rows were last used; return those that had never been used before.

    They are locked in the order of the primary key, so that two workers never deadlock.
    """
    values = [(credential, _moment(use.last), use.ip) for credential, use in uses.items()]
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
            [list(uses), *([*column] for column in zip(*values, strict=True))],
        )
        return [credential for credential, before in cursor.fetchall() if before is None]


def _write_clients(uses: dict[UUID, Use]) -> None:
    """Write when clients were last used; locks as above."""
    latest: dict[int, float] = {}
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
            [list(latest), list(latest), [_moment(last) for last in latest.values()]],
        )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def pending() -> list[Use]:
    """Return the uses that are not written yet."""
    with _lock:
        return list(_pending.values())


def reset() -> None:
    """Begin empty in a forked process: the parent writes its own uses."""
    global _lock  # noqa: PLW0603  # the parent may have held it at the fork
    _lock = threading.Lock()
    _pending.clear()
