"""The chain over the audit record: how an event's row is digested, and how each seal follows from the one before.

docs/activity.md describes it for those who verify it with programs of their own.
"""

import hashlib
from typing import NamedTuple

from django.db.models import QuerySet

from consumers.models import EventSeal, SignedHead

GENESIS = bytes(32)  # what the first seal follows from, overall and of each consumer

# The text of the row `event`, and its digest. They are computed where the rows are, and by this text rather than a
# function of the database, which whoever owns the database could replace.
TEXT = """jsonb_build_array(
    event.id, to_char(event.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), event.name, event.actor_kind,
    event.actor_id, event.actor_label, event.consumer_id, event.target_kind, event.target_id, event.target_label,
    event.detail, host(event.ip), event.user_agent, event.request_id, event.salt, event.erased_by)::text"""
DIGEST = f"sha256(convert_to({TEXT}, 'UTF8'))"


class Head(NamedTuple):
    """The last seal of the chain, or of a part of it."""

    position: int
    hash: bytes


def head() -> Head:
    """Return the end of the chain; of a chain all of whose events have expired, what stands for them."""
    last = EventSeal.objects.order_by("-position").values_list("position", "hash").first()
    if last is None:
        last = expiry_heads().values_list("position", "hash").first()
    return Head(last[0], bytes(last[1])) if last else Head(0, GENESIS)


def expiry_heads() -> QuerySet[SignedHead]:
    """Return the heads that stand for expired events, the last first."""
    return SignedHead.objects.filter(kind=SignedHead.Kind.EXPIRY).order_by("-position")


def link(before: bytes, digest: bytes, consumer_hash: bytes | None) -> bytes:
    """Return the hash of a seal, from that of the seal before it."""
    return hashlib.sha256(before + digest + (consumer_hash or b"")).digest()


def consumer_link(before: bytes, digest: bytes) -> bytes:
    """Return the consumer's hash of a seal, from that of the consumer's seal before it."""
    return hashlib.sha256(before + digest).digest()
