"""Every change to who manages and views a consumer."""

from django.db import transaction

from consumers import audit
from consumers.audit import Actor, EventName
from consumers.models import Consumer, Membership, Role
from core.errors import Conflict, Refusal


@transaction.atomic
def change_role(*, membership: Membership, role: str, actor: Actor) -> None:
    membership = _lock_member(membership)
    if membership.role == role:
        return
    if membership.is_manager:
        _require_another_manager(membership, actor)
    membership.role = Role(role)
    membership.save(update_fields=["role"])
    audit.record(
        EventName.MANAGER_ROLE_CHANGED,
        actor=actor,
        consumer=membership.consumer,
        target=membership.user,
        detail={"email": membership.user.email, "role": role},
    )


@transaction.atomic
def remove_member(*, membership: Membership, actor: Actor) -> None:
    """End a person's access to the workspace at once."""
    membership = _lock_member(membership)
    if membership.is_manager:
        _require_another_manager(membership, actor)
    audit.record(
        EventName.MANAGER_REMOVED,
        actor=actor,
        consumer=membership.consumer,
        target=membership.user,
        detail={"email": membership.user.email},
    )
    membership.delete()


def _lock_member(membership: Membership) -> Membership:
    """Lock the consumer first, so that two managers who remove each other do not leave a workspace empty."""
    Consumer.objects.select_for_update().get(pk=membership.consumer_id)
    locked = Membership.objects.select_related("consumer", "user").filter(pk=membership.pk).first()
    if locked is None:
        raise Conflict("This person has left the workspace meanwhile.")
    return locked


def _require_another_manager(membership: Membership, actor: Actor) -> None:
    if actor.kind == "operator":
        return
    others = Membership.objects.filter(consumer=membership.consumer, role=Role.MANAGER).exclude(pk=membership.pk)
    if not others.exists():
        raise Refusal("A workspace needs at least one manager. Make somebody else a manager first.")
