"""How the worker is doing, by what it writes into the database, for /health/ready and /metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils import timezone

from consumers.models import Event, UnsealedEvent
from core.models import Delivery, WorkerLoop
from portal.worker import QUEUES, RECORD, TASKS

# How long each part may take from one beginning to the next. A delivery waits for another server for a while.
LATE_AFTER = {TASKS: timedelta(minutes=15)}
LATE_AFTER_ELSE = timedelta(seconds=90)
SEALED_WITHIN = timedelta(minutes=15)
_started_at = timezone.now()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the worker's work."""

    name: str
    ran_at: datetime | None  # None when it has never run

    @property
    def is_late(self) -> bool:
        """Whether it should have run by now, though a worker that starts with this process needs a while."""
        latest = timezone.now() - LATE_AFTER.get(self.name, LATE_AFTER_ELSE)
        return latest > _started_at and (self.ran_at is None or self.ran_at < latest)

    @property
    def seconds_since(self) -> float:
        return (timezone.now() - self.ran_at).total_seconds() if self.ran_at else float("inf")


def parts() -> list[Part]:
    """Return every part. Raises django.db.Error."""
    known = dict(WorkerLoop.objects.values_list("name", "ran_at"))
    return [Part(name, known.get(name)) for name in (*(queue.name for queue in QUEUES), TASKS, RECORD)]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in a queue to be delivered, or in the record to be sealed."""

    name: str
    waiting: int
    oldest_due: datetime | None

    @property
    def seconds_late(self) -> float:
        return max(0.0, (timezone.now() - self.oldest_due).total_seconds()) if self.oldest_due else 0.0


def backlogs() -> list[Backlog]:
    """Return the backlog of every queue. Raises django.db.Error."""
    found = []
    for queue in QUEUES:
        waiting = queue.model._default_manager.filter(state=Delivery.State.WAITING)
        told = waiting.aggregate(count=Count("*"), oldest=Min("next_attempt_at"))
        found.append(Backlog(queue.name, told["count"], told["oldest"]))
    return found


def unsealed() -> Backlog:
    """Return what waits for its place in the chain of the record. Raises django.db.Error."""
    return Backlog(RECORD, UnsealedEvent.objects.count(), _oldest_unsealed())


def is_sealing_late() -> bool:
    """Whether an event has waited for its place for longer than the worker should take. Raises django.db.Error."""
    oldest = _oldest_unsealed()
    return oldest is not None and oldest < timezone.now() - SEALED_WITHIN


def _oldest_unsealed() -> datetime | None:
    """Return when the first event happened that waits; an erased one, which waits again, is as old as it is."""
    first = UnsealedEvent.objects.order_by("pk").values("pk")[:1]
    return Event.objects.filter(pk=first, erased_by=None).values_list("at", flat=True).first()
