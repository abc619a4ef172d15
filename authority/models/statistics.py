"""Counts of issued tokens and the problems of clients."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from clients.models import Client


class ProblemQuerySet(models.QuerySet["Problem"]):
    def recent(self) -> Self:
        """Return what was refused within a week, the latest first."""
        return self.filter(last_at__gt=timezone.now() - timedelta(days=7)).order_by("-last_at", "-pk")


class Problem(models.Model):
    """Why requests of a client were refused: equal refusals are one row, with their count.

    Written by authority/telemetry/problem_log.py.
    """

    client = models.ForeignKey(Client, models.CASCADE, related_name="problems", db_index=False, editable=False)
    endpoint = models.CharField(max_length=20, editable=False)
    kind = models.CharField(max_length=60, editable=False)
    detail = models.JSONField(editable=False)
    error = models.CharField(max_length=60, editable=False)  # the error code of the response; empty where it had none
    count = models.BigIntegerField(editable=False)
    first_at = models.DateTimeField(editable=False)
    last_at = models.DateTimeField(db_index=True, editable=False)
    last_ip = models.GenericIPAddressField(null=True, editable=False)

    objects = ProblemQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "endpoint", "kind", "detail"], name="problem_once")]

    def __str__(self) -> str:
        return f"{self.client}: {self.kind}"


class DailyCount(models.Model):
    """How many requests of a client the token endpoints answered with a token, and refused, on a day in UTC."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="daily_counts", db_index=False, editable=False)
    day = models.DateField(db_index=True, editable=False)
    issued = models.BigIntegerField(editable=False)
    refused = models.BigIntegerField(editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "day"], name="daily_count_once")]

    def __str__(self) -> str:
        return f"{self.client} on {self.day}"
