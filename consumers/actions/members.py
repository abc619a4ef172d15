"""Change and end memberships of consumers."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from consumers import audit
from consumers.audit import Actor
from consumers.events import ConsumerEvent
from consumers.models import Consumer, Membership, MembershipSource, Role
from core.errors import Conflict, Refusal

VISIT_INTERVAL = timedelta(minutes=5)  # in which the last visit is written once


@transaction.atomic
def change_role(*, membership: Membership, role: str, actor: Actor) -> None:
    membership = _lock_member(membership)
    if membership.role == role:
        return
    _require_kept_by_people(membership, actor)
    if membership.is_manager:
        _require_another_manager(membership, actor)
    membership.role = Role(role)
    # An operator's word counts more than what the identity provider says at the next sign-in.
    membership.source, membership.source_id, membership.source_label = MembershipSource.PEOPLE, None, ""
    membership.save(update_fields=["role", "source", "source_id", "source_label"])
    audit.record(
        ConsumerEvent.MANAGER_ROLE_CHANGED,
        actor=actor,
        consumer=membership.consumer,
        target=membership.user,
        detail={"email": membership.user.address, "role": role},
    )


@transaction.atomic
def remove_member(*, membership: Membership, actor: Actor) -> None:
    """End a person's access to the workspace at once."""
    membership = _lock_member(membership)
    _require_kept_by_people(membership, actor)
    if membership.is_manager:
        _require_another_manager(membership, actor)
    audit.record(
        ConsumerEvent.MANAGER_REMOVED,
        actor=actor,
        consumer=membership.consumer,
        target=membership.user,
        detail={"email": membership.user.address},
    )
    membership.delete()


def record_visit(membership: Membership) -> None:
    """Record the last visit, to within five minutes, so that few requests write. It is no change, and so no event."""
    now = timezone.now()
    if membership.seen_at is None or now - membership.seen_at > VISIT_INTERVAL:
        membership.seen_at = now
        Membership.objects.filter(pk=membership.pk).update(seen_at=now)


def _lock_member(membership: Membership) -> Membership:
    """Lock the consumer first, so that two managers who remove each other do not leave a workspace empty."""
    Consumer.objects.select_for_update().get(pk=membership.consumer_id)
    locked = Membership.objects.select_related("consumer", "user").filter(pk=membership.pk).first()
    if locked is None:
        raise Conflict("This person has already left the workspace.")
    return locked


def _require_kept_by_people(membership: Membership, actor: Actor) -> None:
    """Refuse managers a change that the next sign-in, or the directory, would undo."""
    if membership.source != MembershipSource.PEOPLE and actor.kind != "operator":
        raise Refusal(
            f"{membership.source_label} decides about this membership. Change it there, or ask the people who run the "
            "portal."
        )


def _require_another_manager(membership: Membership, actor: Actor) -> None:
    if actor.kind == "operator":
        return
    others = Membership.objects.filter(consumer=membership.consumer, role=Role.MANAGER).exclude(pk=membership.pk)
    if not others.exists():
        raise Refusal("A workspace needs at least one manager. Make somebody else a manager first.")
