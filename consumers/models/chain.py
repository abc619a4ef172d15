"""The chain over the audit record: seals of events, signed heads, and verifications (docs/activity.md)."""

from django.db import models
from django.utils import timezone


class UnsealedEvent(models.Model):
    """An event that has no place in the chain yet, or was erased since; written by a trigger, deleted with its seal."""

    event_id = models.BigIntegerField(primary_key=True, editable=False)

    def __str__(self) -> str:
        return str(self.event_id)


class EventSeal(models.Model):
    """An event's place in the chain. The database refuses to change a row, and to delete one that has not expired.

    `digest` is of the event's row, `consumer_hash` of the consumer's seal before and the digest, and `hash` of the seal
    before and both. An event that was erased is sealed again, as it is then; its last seal counts.
    """

    position = models.BigIntegerField(primary_key=True, editable=False)
    event_id = models.BigIntegerField(editable=False)
    consumer_id = models.UUIDField(null=True, editable=False)
    digest = models.BinaryField(editable=False)
    consumer_hash = models.BinaryField(null=True, editable=False)
    hash = models.BinaryField(editable=False)

    class Meta:
        ordering = ["position"]
        indexes = [
            models.Index(fields=["event_id", "position"], name="event_seal_event"),
            models.Index(
                fields=["consumer_id", "position"],
                condition=models.Q(consumer_id__isnull=False),
                name="event_seal_consumer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position}: {bytes(self.hash).hex()}"


class SignedHead(models.Model):
    """What the chain was at one moment, signed (authority/keys/activity_heads.py). The database refuses to change it.

    The token of a head of kind EXPIRY stands for the events up to its position, which may be gone; that of kind START
    names the problems of the chain until there (authority/keys/chain_starts.py).
    """

    class Kind(models.TextChoices):
        DAILY = "daily", "Signed every day"
        EXPORT = "export", "Exported"
        EXPIRY = "expiry", "Stands for expired events"
        START = "start", "A new chain follows"

    kind = models.CharField(max_length=10, choices=Kind, editable=False)
    position = models.BigIntegerField(editable=False)
    hash = models.BinaryField(editable=False)
    signed_at = models.DateTimeField(default=timezone.now, editable=False)
    token = models.TextField(editable=False)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["kind", "-position"], name="signed_head_of_kind")]

    def __str__(self) -> str:
        return f"{self.position}: {bytes(self.hash).hex()}"


class Verification(models.Model):
    """One walk of the worker over the whole chain, in short steps; at most one at a time."""

    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    # How far it has come, and where it ends: first along the chain, then along the ids of events.
    position = models.BigIntegerField(default=0, db_default=0, editable=False)
    last_position = models.BigIntegerField(editable=False)
    event = models.BigIntegerField(default=0, db_default=0, editable=False)
    last_event = models.BigIntegerField(editable=False)
    expired = models.BigIntegerField(default=0, db_default=0, editable=False)  # a signed head stands for as many
    heads = models.PositiveIntegerField(default=0, db_default=0, editable=False)  # signed ones that it agrees with
    problems = models.JSONField(default=list, db_default=models.Value([], models.JSONField()), editable=False)
    # The problems that the newest chain's start names: they were found before, and looked into.
    named = models.JSONField(default=list, db_default=models.Value([], models.JSONField()), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(finished_at=None), name="verification_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.requested_at:%Y-%m-%d %H:%M}"
