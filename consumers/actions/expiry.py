"""Delete events that have expired, for which a signed head stands then (authority/tasks.py)."""

import time
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max

from consumers import audit
from consumers.activity import chain
from consumers.events import ConsumerEvent
from consumers.models import EventSeal
from core.sweeps import PAUSE

STEP = 20_000  # seals that one statement looks at
BATCH = 500  # seals of a transaction


def expired_until(before: datetime) -> int:
    """Return the last position up to which every event happened before that moment; 0 where there is none."""
    head = chain.expiry_heads().first()
    position = head.position if head else 0
    last = EventSeal.objects.aggregate(last=Max("position"))["last"] or 0
    while position < last:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT seal.position FROM consumers_eventseal seal CROSS JOIN LATERAL (
                    SELECT at FROM consumers_event WHERE id = seal.event_id LIMIT 1) event
                WHERE seal.position > %s AND seal.position <= %s AND event.at >= %s
                ORDER BY seal.position LIMIT 1
                """,
                [position, position + STEP, before],
            )
            younger = cursor.fetchone()
        if younger is not None:
            return int(younger[0]) - 1
        position = min(position + STEP, last)
    return position


def record_expiry(days: int) -> None:
    """Record that events have expired, in the transaction of the head that stands for them."""
    audit.record(ConsumerEvent.EVENTS_EXPIRED, actor=audit.SYSTEM, detail={"days": days})


def delete_expired(through: int) -> int:
    """Delete the events up to a position for which a signed head stands, and their seals; return how many seals."""
    deleted = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT delete_expired_events(%s, %s)", [through, BATCH])
            (batch,) = cursor.fetchone()
        if not batch:
            return deleted
        deleted += batch
        time.sleep(PAUSE)
