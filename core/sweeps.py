"""Deletion of many old rows, a few at a time, so that no statement runs or locks for long."""

import time
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

FEWEST, MOST = 50, 1_000  # rows of a batch
AIM = 0.25  # seconds that a batch should take
PAUSE = 0.02  # seconds between batches, for others to get on


def delete_in_batches(rows: QuerySet[Any], order: str, ended: Q | None = None) -> int:
    """Delete the rows, or those of them that have `ended`; return how many.

    They are walked once in the order of `order`, an indexed column, so that a row which stays is looked at once. Each
    batch is a transaction of its own and takes about AIM, and rows that another worker has locked are left to it.
    """
    size, deleted = FEWEST, 0
    # Of rows that all go, many of one moment need no order, which to make would be to read them all for each batch.
    left = walk = rows.order_by(order, "pk") if ended else _unlocked(rows).order_by(order)
    while True:
        begun = time.monotonic()
        with transaction.atomic():
            batch = list(left.values_list("pk", order)[:size])
            if not batch:
                return deleted
            deleted += _delete(rows.filter(ended or Q(), pk__in=[pk for pk, _ in batch]))
        last_pk, last = batch[-1]
        left = walk.filter(**{f"{order}__gte": last})
        if ended:
            left = left.exclude(**{order: last, "pk__lte": last_pk})
        size = min(max(int(size * AIM / (time.monotonic() - begun)), FEWEST), MOST, size * 2)
        time.sleep(PAUSE)


def _delete(rows: QuerySet[Any]) -> int:
    """Delete the rows that nobody else has locked, and that are still what they were when they were found."""
    keys = list(_unlocked(rows).order_by("pk").values_list("pk", flat=True))
    rows.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def _unlocked(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_for_update(skip_locked=True, of=("self",))
