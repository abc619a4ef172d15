"""Create, change, suspend and delete consumers."""

from collections.abc import Callable, Mapping

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from consumers import audit, emails, policy
from consumers.audit import Actor
from consumers.events import ConsumerEvent
from consumers.models import Consumer
from core import clock
from core.db import rows
from core.errors import Conflict


@transaction.atomic
def create_consumer(*, actor: Actor, **fields: object) -> Consumer:
    """Create a consumer. Raises Conflict when its short name or external ID is taken."""
    consumer = Consumer(**fields)
    policy.metadata(consumer.metadata)
    policy.claims(consumer.claims)
    policy.allowed_test_claims(consumer.test_token_claims)
    _save_unique(consumer, None)
    audit.record(ConsumerEvent.CONSUMER_CREATED, actor=actor, consumer=consumer, target=consumer)
    return consumer


@transaction.atomic
def update_consumer(
    *, consumer: Consumer, change: Callable[[Consumer], Mapping[str, object]], actor: Actor
) -> Consumer:
    """Set the fields that `change` returns by name; it gets the consumer as it is now, from the locked row.

    The record names the fields that changed, not their values. Raises Refusal.
    """
    consumer = rows.lock(consumer)
    if changed := rows.assign(consumer, change(consumer)):
        policy.metadata(consumer.metadata)
        policy.claims(consumer.claims)
        policy.allowed_test_claims(consumer.test_token_claims)
        _save_unique(consumer, changed)
        audit.record(
            ConsumerEvent.CONSUMER_UPDATED, actor=actor, consumer=consumer, target=consumer, detail={"fields": changed}
        )
    return consumer


@transaction.atomic
def suspend_consumer(*, consumer: Consumer, actor: Actor, reason: str = "") -> None:
    """Stop its workspace, its clients and its tokens at once. Its managers are mailed the reason, if there is one.

    The UPDATE fires the trigger of authority/sql/directory.sql, which tells every process to drop what it caches of the
    consumer's clients.
    """
    if Consumer.objects.filter(pk=consumer.pk, suspended_at=None).update(suspended_at=timezone.now()):
        detail = {"reason": reason} if reason else {}
        audit.record(ConsumerEvent.CONSUMER_SUSPENDED, actor=actor, consumer=consumer, target=consumer, detail=detail)
        if reason:
            emails.send_consumer_suspended(consumer, reason)
    consumer.refresh_from_db(fields=["suspended_at"])


@transaction.atomic
def revoke_tokens(*, consumer: Consumer, actor: Actor) -> None:
    """Revoke every token of all its clients that was issued until now; they can get new ones."""
    Consumer.objects.filter(pk=consumer.pk).update(tokens_valid_after=clock.after_now())
    audit.record(ConsumerEvent.CONSUMER_TOKENS_REVOKED, actor=actor, consumer=consumer, target=consumer)
    consumer.refresh_from_db(fields=["tokens_valid_after"])


@transaction.atomic
def resume_consumer(*, consumer: Consumer, actor: Actor) -> None:
    if Consumer.objects.filter(pk=consumer.pk).exclude(suspended_at=None).update(suspended_at=None):
        audit.record(ConsumerEvent.CONSUMER_RESUMED, actor=actor, consumer=consumer, target=consumer)
    consumer.refresh_from_db(fields=["suspended_at"])


@transaction.atomic
def delete_consumer(*, consumer: Consumer, actor: Actor) -> None:
    """Delete a consumer that has no clients, with its members and invitations; people and activity stay."""
    audit.record(ConsumerEvent.CONSUMER_DELETED, actor=actor, consumer=consumer, target=consumer)
    try:
        consumer.delete()
    except ProtectedError:
        raise Conflict(
            f"{consumer} has clients. Delete those first, or suspend the consumer: that stops them all at once."
        ) from None


def _save_unique(consumer: Consumer, fields: list[str] | None) -> None:
    policy.model_fields(consumer)
    try:
        with transaction.atomic():
            consumer.save(update_fields=fields)
    except IntegrityError:
        raise Conflict(
            f"Another consumer has the short name {consumer.slug} or this external ID. Choose others.", field="slug"
        ) from None
