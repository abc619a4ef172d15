"""Deletion of many old rows, a few at a time, so that no statement runs or locks for long."""

import time
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

FEWEST, MOST = 50, 2_000  # rows of a batch
AIM = 0.25  # seconds that a batch should take
PAUSE = 0.02  # seconds between batches, for others to get on


def delete_in_batches(rows: QuerySet[Any], order: str, ended: Q | None = None) -> int:
    """Delete the rows, or those of them that have `ended`; return how many.

    They are walked once in the order of `order`, an indexed column, so that a row which stays is looked at once. Each
    batch is a transaction of its own and takes about AIM, and rows that another worker has locked are left to it.
    """
    size, deleted, walked = FEWEST, 0, rows.order_by(order, "pk")
    while True:
        begun = time.monotonic()
        with transaction.atomic():
            batch = list(walked.values_list("pk", order)[:size])
            if not batch:
                return deleted
            deleted += _delete(rows.model._default_manager.filter(pk__in=[pk for pk, _ in batch]), ended)
        last_pk, last = batch[-1]
        after = Q(**{f"{order}__gt": last}) | Q(**{order: last, "pk__gt": last_pk})
        walked = rows.filter(after, **{f"{order}__gte": last}).order_by(order, "pk")
        size = min(max(int(size * AIM / (time.monotonic() - begun)), FEWEST), MOST, size * 2)
        time.sleep(PAUSE)


def _delete(rows: QuerySet[Any], ended: Q | None) -> int:
    """Delete those of the rows that have ended and that nobody else has locked."""
    locked = rows.filter(ended or Q()).select_for_update(skip_locked=True, of=("self",)).order_by("pk")
    keys = list(locked.values_list("pk", flat=True))
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)
