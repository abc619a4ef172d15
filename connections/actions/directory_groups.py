"""Groups of a directory, as it creates, changes and deletes them by SCIM. The caller has locked the directory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from connections import policy
from connections.actions import directory_members
from connections.events import DirectoryEvent
from connections.models import Directory, DirectoryGroup, DirectoryUser, GroupRole
from consumers import audit
from consumers.audit import Actor
from core.db import rows
from core.errors import Conflict, Refusal


@dataclass(frozen=True)
class Members:
    """A change of a group's members: these alone (`only`), or some more and some less."""

    only: frozenset[UUID] | None = None
    added: frozenset[UUID] = frozenset()
    removed: frozenset[UUID] = frozenset()


@transaction.atomic
def create_group(
    *, directory: Directory, values: Mapping[str, object], members: Collection[UUID], actor: Actor
) -> DirectoryGroup:
    """Add a group, which gives its members no role until an operator says so. Raises Refusal."""
    policy.room_for_group(directory)
    group = DirectoryGroup(directory=directory)
    rows.assign(group, values)
    policy.directory_group(group)
    group.save(force_insert=True)
    added, _ = _change_members(group, Members(added=frozenset(members)))
    _record(DirectoryEvent.GROUP_CREATED, group, actor, added=len(added))
    return group


@transaction.atomic
def update_group(
    *, group: DirectoryGroup, values: Mapping[str, object], members: Members, actor: Actor
) -> DirectoryGroup:
    """Change a group, and the roles of whoever comes or goes. What changes nothing records nothing. Raises Refusal."""
    changed = rows.assign(group, values)
    if changed:
        policy.directory_group(group)
    added, removed = _change_members(group, members)
    if not (changed or added or removed):
        return group
    group.version += 1
    group.modified_at = timezone.now()
    group.save()
    _record(DirectoryEvent.GROUP_UPDATED, group, actor, fields=changed, added=len(added), removed=len(removed))
    if group.role != GroupRole.NONE:
        directory_members.keep_roles(group.directory, DirectoryUser.objects.filter(pk__in=added | removed))
    return group


@transaction.atomic
def delete_group(*, group: DirectoryGroup, actor: Actor) -> None:
    """Remove a group, with the role that it gives."""
    members = set(group.members.values_list("pk", flat=True)) if group.role != GroupRole.NONE else set()
    _record(DirectoryEvent.GROUP_DELETED, group, actor)
    group.delete()
    if members:
        directory_members.keep_roles(group.directory, DirectoryUser.objects.filter(pk__in=members))


def _change_members(group: DirectoryGroup, members: Members) -> tuple[set[UUID], set[UUID]]:
    """Add and remove members; return who has come and gone. Raises Refusal."""
    if members == Members():
        return set(), set()
    former = set(group.members.values_list("pk", flat=True))
    wanted = former if members.only is None else set(members.only)
    wanted = (wanted - members.removed) | members.added
    if len(wanted) > policy.MAX_MEMBERS:
        raise Conflict(f"A group has at most {policy.MAX_MEMBERS:,} members here.", field="members")
    added, removed = wanted - former, former - wanted
    if added and group.directory.users.filter(pk__in=added).count() != len(added):
        raise Refusal("A member is no person of this directory. Groups in groups are not supported.", field="members")
    group.members.remove(*removed)  # type: ignore[arg-type]  # keys are taken too
    group.members.add(*added)  # type: ignore[arg-type]
    return added, removed


def _record(name: DirectoryEvent, group: DirectoryGroup, actor: Actor, **detail: object) -> None:
    audit.record(name, actor=actor, consumer=group.directory.consumer, target=group, detail=detail)
