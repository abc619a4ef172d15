"""Directories of consumers, as operators set them up: their token, their role, and the roles of their groups."""

from collections.abc import Mapping
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from connections import policy
from connections.actions import directory_members
from connections.events import DirectoryEvent
from connections.models import Directory, DirectoryGroup, GroupRole
from consumers import audit
from consumers.audit import Actor
from consumers.models import Membership, MembershipSource
from core import credentials
from core.db import rows
from core.errors import Conflict, Refusal

PREFIX = "cds_"
USE_INTERVAL = timedelta(minutes=1)  # in which the last use is written once


@transaction.atomic
def create_directory(*, directory: Directory, actor: Actor) -> tuple[Directory, str]:
    """Let a directory keep a consumer's people; its token is readable only in this return value. Raises Refusal."""
    directory.name = directory.name.strip()
    policy.directory(directory)
    text = _new_token(directory)
    try:
        with transaction.atomic():
            directory.save(force_insert=True)
    except IntegrityError:
        raise Conflict(f"{directory.consumer} has a directory already. Delete it first.", field="consumer") from None
    detail = {"hint": directory.hint, "role": directory.default_role}
    audit.record(DirectoryEvent.CREATED, actor=actor, consumer=directory.consumer, target=directory, detail=detail)
    return directory, text


@transaction.atomic
def update_directory(*, directory: Directory, values: Mapping[str, object], actor: Actor) -> Directory:
    """Change the name and the role of whoever no group gives one. Raises Refusal."""
    directory = rows.lock(directory)
    changed = rows.assign(directory, {name: values[name] for name in ("name", "default_role") if name in values})
    if not changed:
        return directory
    policy.directory(directory)
    directory.save(update_fields=changed)
    if "name" in changed:
        _kept_by(directory).update(source_label=directory.name)
    audit.record(
        DirectoryEvent.UPDATED,
        actor=actor,
        consumer=directory.consumer,
        target=directory,
        detail={"fields": changed, "role": directory.default_role},
    )
    if "default_role" in changed:
        directory_members.keep_roles(directory, directory.users.all())
    return directory


@transaction.atomic
def rotate_token(*, directory: Directory, actor: Actor) -> tuple[Directory, str]:
    """Replace the token; the one before ends at once. It is readable only in this return value."""
    directory = rows.lock(directory)
    text = _new_token(directory)
    directory.rotated_at = timezone.now()
    directory.save(update_fields=["digest", "pepper_version", "hint", "rotated_at"])
    audit.record(
        DirectoryEvent.TOKEN_ROTATED,
        actor=actor,
        consumer=directory.consumer,
        target=directory,
        detail={"hint": directory.hint},
    )
    return directory, text


@transaction.atomic
def delete_directory(*, directory: Directory, actor: Actor) -> None:
    """End the directory with its token. Its members stay, and are kept by people from now on."""
    directory = rows.lock(directory)
    _kept_by(directory).update(source=MembershipSource.PEOPLE, source_id=None, source_label="")
    audit.record(DirectoryEvent.DELETED, actor=actor, consumer=directory.consumer, target=directory)
    directory.delete()


@transaction.atomic
def set_group_role(*, group: DirectoryGroup, role: str, actor: Actor) -> DirectoryGroup:
    """Say what the members of a group are at the consumer; of several groups the highest counts. Raises Refusal."""
    directory = rows.lock(group.directory)
    group = rows.lock(group)
    if role not in GroupRole.values:
        raise Refusal("Choose none, viewer or manager.", field="role")
    if group.role == role:
        return group
    group.role = GroupRole(role)
    group.save(update_fields=["role"])
    audit.record(
        DirectoryEvent.GROUP_ROLE_CHANGED,
        actor=actor,
        consumer=directory.consumer,
        target=group,
        detail={"role": GroupRole(role).label.lower()},
    )
    directory_members.keep_roles(directory, group.members.all())
    return group


def find_directory(text: str) -> Directory | None:
    """Return the directory whose token the text is, with its consumer, or None."""
    if not credentials.is_well_formed(text, PREFIX):
        return None
    known = Directory.objects.select_related("consumer")
    directory = known.filter(digest__in=credentials.keyed_digests(text)).first()
    if directory is not None:
        credentials.redigest(directory, text)
    return directory


def record_use(directory: Directory) -> None:
    """Record the last request, to within a minute, so that few requests write. It is no change, and so no event."""
    now = timezone.now()
    if directory.last_used_at is None or now - directory.last_used_at > USE_INTERVAL:
        Directory.objects.filter(pk=directory.pk).update(last_used_at=now)


def _new_token(directory: Directory) -> str:
    text, version = credentials.generate(PREFIX), credentials.current_pepper()
    directory.digest, directory.pepper_version = credentials.keyed_digest(text, version), version
    directory.hint = text[-4:]
    return text


def _kept_by(directory: Directory) -> QuerySet[Membership]:
    return Membership.objects.filter(source=MembershipSource.DIRECTORY, source_id=directory.pk)
