"""Rows that know nothing of the domain: mail on its way out, and forms that were submitted."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Delivery(models.Model):
    """What goes out to another server: whether it did, how often that was tried, and when it is tried next."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    state = models.CharField(max_length=10, choices=State, default=State.WAITING, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    next_attempt_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(state="waiting"), name="%(class)s_waiting")
        ]


class Message(Delivery):
    """A mail on its way out. What it says is encrypted while it waits and erased once it is delivered."""

    id = models.BigAutoField(primary_key=True)
    recipients = models.CharField(max_length=500, editable=False)
    subject = models.CharField(max_length=250, editable=False)
    encrypted_message = models.BinaryField(default=bytes, editable=False)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)
    # What it says is of no use after that, such as a code that has expired: it is not sent any more.
    expires_at = models.DateTimeField(null=True, editable=False)

    class Meta(Delivery.Meta):
        ordering = ["-id"]
        indexes = [*Delivery.Meta.indexes, models.Index(fields=["created_at"], name="message_age")]

    def __str__(self) -> str:
        return f"{self.subject} to {self.recipients}"


class Submission(models.Model):
    """A form that was carried out, so that sending it again by reload or a double click does nothing twice."""

    key = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, editable=False)
    outcome = models.CharField(max_length=300, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="submission_age")]

    def __str__(self) -> str:
        return str(self.key)


class WorkerLoop(models.Model):
    """When a part of the worker's work was last begun, by whichever worker."""

    name = models.CharField(max_length=40, primary_key=True, editable=False)
    ran_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return self.name


class DemoMark(models.Model):
    """Says that a database was empty when `manage.py demo` filled it; at most one row."""

    made_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return "demo"
