"""Give events their places in the chain, after their transactions: whoever records an event waits for nobody."""

from uuid import UUID

from django.db import connection, transaction

from consumers.activity import chain
from consumers.models import EventSeal, UnsealedEvent

BATCH = 1_000
LOCK = 0x7365616C  # the advisory lock of whoever seals


@transaction.atomic
def seal_events() -> int:
    """Seal some of the events that wait, in the order of their ids; return how many. Any number of workers may.

    An event waits from its own transaction on (consumers/sql/chain.sql). One that is committed late gets a later place.
    """
    if not _lock():
        return 0
    waiting = UnsealedEvent.objects.select_for_update(skip_locked=True).order_by("event_id")
    ids = list(waiting.values_list("event_id", flat=True)[:BATCH])
    if not ids:
        return 0
    position, before = chain.head()
    events = _digested(ids)
    of_consumers = _consumer_hashes({consumer for _, consumer, _ in events if consumer is not None})
    seals = []
    for event_id, consumer, digest in events:
        position += 1
        consumer_hash = None
        if consumer is not None:
            consumer_hash = chain.consumer_link(of_consumers.get(consumer, chain.GENESIS), digest)
            of_consumers[consumer] = consumer_hash
        before = chain.link(before, digest, consumer_hash)
        seals.append(
            EventSeal(
                position=position,
                event_id=event_id,
                consumer_id=consumer,
                digest=digest,
                consumer_hash=consumer_hash,
                hash=before,
            )
        )
    EventSeal.objects.bulk_create(seals)
    UnsealedEvent.objects.filter(event_id__in=ids).delete()
    return len(ids)


def _lock() -> bool:
    """Take the lock, if nobody else seals."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(cursor.fetchone()[0])


def _digested(ids: list[int]) -> list[tuple[int, UUID, bytes]]:
    """Return id, consumer and digest of the events, as they are now that they are locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id, consumer_id, {chain.DIGEST} FROM consumers_event event WHERE id = ANY(%s) ORDER BY id
            """,  # noqa: S608  # our own text
            [ids],
        )
        return [(event_id, consumer, bytes(digest)) for event_id, consumer, digest in cursor.fetchall()]


def _consumer_hashes(consumers: set[UUID]) -> dict[UUID, bytes]:
    """Return the hash of each consumer's last seal."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT consumer, last.consumer_hash FROM unnest(%s::uuid[]) consumer CROSS JOIN LATERAL (
                SELECT consumer_hash FROM consumers_eventseal WHERE consumer_id = consumer
                ORDER BY position DESC LIMIT 1) last
            """,
            [list(consumers)],
        )
        return {consumer: bytes(found) for consumer, found in cursor.fetchall()}
