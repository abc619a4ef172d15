"""Queues of what goes out to other servers: a row for each, written in the transaction of its deed, delivered later.

A row is claimed, delivered while no transaction is open, and then its outcome is written. So no lock is held while
another server is waited for, and of several workers one delivers a row. Delivery is at least once: when a worker dies
on the way, the row is due again after LEASE.
"""

import logging
from abc import ABC, abstractmethod
from datetime import timedelta
from typing import ClassVar

from django.db import Error, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.models import Delivery

logger = logging.getLogger(__name__)

CHANNEL = "outbox"
LEASE = timedelta(minutes=10)  # more than any delivery takes, whose connections time out


class Queue[Row: Delivery](ABC):
    """One kind of delivery. `deliver` raises whatever it likes to be tried again, at the latest after `retry_after`."""

    name: ClassVar[str]  # in the log
    retry_after: ClassVar[tuple[timedelta, ...]]  # before the second attempt, the third, and so on until it is given up
    related: ClassVar[tuple[str, ...]] = ()  # what `deliver` reads besides the row
    model: type[Row]

    @abstractmethod
    def deliver(self, row: Row) -> None:
        """Hand the row to the other server; no transaction is open. Any exception puts it off."""

    def delivered(self, row: Row) -> None:
        """Write down that it was delivered."""
        self._all().filter(pk=row.pk).update(state=Delivery.State.SENT, last_error="")

    def given_up(self, row: Row, reason: str) -> None:
        """Write down that it was tried for the last time."""
        self._claimed(row).update(state=Delivery.State.FAILED, last_error=reason)

    def deliver_next(self) -> bool:
        """Try one row that is due; return False when there is none. Raises django.db.Error when the database fails."""
        row = self._claim()
        if row is None:
            return False
        try:
            if self.is_past_last_attempt(row):  # whose last outcome nobody could write
                raise RuntimeError("The worker ended during the last attempt.")
            self.deliver(row)
        except Error:
            raise
        except Exception as error:  # whatever the other side does, the row stays
            self._put_off(row, error)
        else:
            self.delivered(row)
            logger.info("%s %s is delivered at attempt %s", self.name, row.pk, row.attempts)
        return True

    def _claim(self) -> Row | None:
        """Return a row that is due and that no other worker gets before LEASE has passed."""
        now = timezone.now()
        with transaction.atomic():
            due = self._all().filter(state=Delivery.State.WAITING, next_attempt_at__lte=now)
            row = due.select_for_update(skip_locked=True, of=("self",)).order_by("next_attempt_at").first()
            if row is not None:
                row.attempts += 1
                row.next_attempt_at = now + LEASE
                row.save(update_fields=["attempts", "next_attempt_at"])
        return row

    def _put_off(self, row: Row, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"[:500].replace("\x00", "")
        logger.warning("%s %s was not delivered at attempt %s: %s", self.name, row.pk, row.attempts, reason)
        wait = self.wait_before_next(row)
        if wait is None:
            self.given_up(row, reason)
        else:
            self._claimed(row).update(next_attempt_at=timezone.now() + wait, last_error=reason)

    def is_past_last_attempt(self, row: Row) -> bool:
        return row.attempts > len(self.retry_after) + 1

    def wait_before_next(self, row: Row) -> timedelta | None:
        """Return how long to wait before the next attempt, or None to give up."""
        return self.retry_after[row.attempts - 1] if row.attempts <= len(self.retry_after) else None

    def _all(self) -> QuerySet[Row]:
        rows = self.model._default_manager.all()
        return rows.select_related(*self.related) if self.related else rows

    def _claimed(self, row: Row) -> QuerySet[Row]:
        """Return the row unless somebody claimed it anew since, or put it at the head of the queue."""
        return self.model._default_manager.filter(pk=row.pk, attempts=row.attempts, state=Delivery.State.WAITING)


def wake_workers() -> None:
    """Tell the workers, once this transaction is committed, that there is something to deliver."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
