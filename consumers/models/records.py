"""The audit record."""

import uuid
from enum import StrEnum
from typing import Self

from django.db import models
from django.db.models.functions import UUID4, Coalesce
from django.utils import timezone

from consumers.models.people import Consumer


class EventName(StrEnum):
    """Base of each room's event names, which read thing, part, what happened to it: `client.secret.rotated`."""


class EventQuerySet(models.QuerySet["Event"]):
    SEARCHED = 30_000

    def newest(self) -> Self:
        """Return the newest SEARCHED of them: no index finds a part of a text, and the record grows for ever."""
        oldest = self.order_by("-pk").values("pk")[self.SEARCHED - 1 : self.SEARCHED]
        return self.filter(pk__gte=Coalesce(models.Subquery(oldest), 0))


class Event(models.Model):
    """A change that somebody made, recorded in its transaction.

    The database refuses to change or delete a row, but to erase a person from it (consumers/actions/erasure.py) and to
    delete it once it has expired (consumers/actions/expiry.py). The row outlives its target, so it keeps labels and ids
    without foreign keys.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField("time", default=timezone.now, editable=False)
    name = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=255, blank=True)  # a client ID may be the URL of its metadata
    actor_label = models.CharField(max_length=254)
    consumer = models.ForeignKey(
        Consumer, models.DO_NOTHING, null=True, related_name="events", db_constraint=False, db_index=False
    )
    target_kind = models.CharField(max_length=20, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(max_length=254, blank=True)
    detail = models.JSONField(default=dict)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    # Part of the row's digest in the chain: nobody can find out by guessing what an erased row said.
    salt = models.UUIDField(default=uuid.uuid4, db_default=UUID4(), editable=False)
    erased_by = models.BigIntegerField(null=True, editable=False)  # the event of the erasure

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["consumer", "-id"], name="event_consumer"),
            models.Index(fields=["target_id", "-id"], name="event_target"),
            models.Index(fields=["actor_id", "-id"], name="event_actor"),
            models.Index(fields=["actor_kind", "-id"], name="event_actor_kind"),
            models.Index(  # also by the beginning of a name, whatever the database's collation
                fields=["name", "-id"], name="event_name", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(fields=["request_id"], name="event_request"),
            models.Index(fields=["erased_by"], condition=models.Q(erased_by__isnull=False), name="event_erased"),
        ]

    def __str__(self) -> str:
        return f"{self.name} by {self.actor_label}"
