"""People of a directory, as it creates, changes and deletes them by SCIM. The caller has locked the directory."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from connections import policy
from connections.actions import directory_members
from connections.events import DirectoryEvent
from connections.models import Directory, DirectoryUser
from consumers import audit
from consumers.audit import Actor
from core.db import rows
from core.errors import Conflict

NAMES = frozenset({"display_name", "formatted_name", "given_name", "family_name"})


class Taken(Conflict):
    """RFC 7644 section 3.12: a value that must be unique is another's."""

    def __init__(self, field: str) -> None:
        super().__init__("Another person of the directory has this userName.", field=field)


@transaction.atomic
def create_user(*, directory: Directory, values: Mapping[str, object], actor: Actor) -> DirectoryUser:
    """Add a person to the directory, and let them in where they are active. Raises Refusal."""
    policy.room_for_person(directory)
    user = DirectoryUser(directory=directory)
    _assign(user, values)
    policy.directory_user(user)
    _save(user)
    _record(DirectoryEvent.USER_CREATED, user, actor)
    if user.active:
        directory_members.admit(user, actor)
        user.save(update_fields=["user", "invitation"])
    return user


@transaction.atomic
def update_user(*, user: DirectoryUser, values: Mapping[str, object], actor: Actor) -> DirectoryUser:
    """Change a person to these values: switched off, they are out at once; on, they are let in. Raises Refusal.

    What changes nothing records nothing.
    """
    was_active, email = user.active, user.email
    changed = _assign(user, values)
    if not changed:
        return user
    policy.directory_user(user)
    user.version += 1
    user.modified_at = timezone.now()
    _save(user)
    if others := [name for name in changed if name != "active"]:
        _record(DirectoryEvent.USER_UPDATED, user, actor, fields=others)
    if user.active != was_active:
        _record(DirectoryEvent.USER_SWITCHED_ON if user.active else DirectoryEvent.USER_SWITCHED_OFF, user, actor)
    if was_active and not user.active:
        directory_members.dismiss(user, actor)
    elif user.active and not was_active:
        directory_members.admit(user, actor)
    elif user.active and user.email.lower() != email.lower():
        directory_members.follow_address(user, actor)
    if NAMES & set(changed):
        directory_members.follow_name(user, actor)
    user.save(update_fields=["user", "invitation"])
    return user


@transaction.atomic
def delete_user(*, user: DirectoryUser, actor: Actor) -> None:
    """Remove a person from the directory: they are out at once."""
    _record(DirectoryEvent.USER_DELETED, user, actor)
    if user.active:
        directory_members.dismiss(user, actor)
    user.delete()


def _assign(user: DirectoryUser, values: Mapping[str, object]) -> list[str]:
    """Set the columns to the values; return the names of those that changed, sorted."""
    changed = rows.assign(user, values)
    user.searched_emails = [
        {key: each[key].lower() if isinstance(each[key], str) else each[key] for key in each} for each in user.emails
    ]
    return changed


def _save(user: DirectoryUser) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Taken("user_name") from None


def _record(name: DirectoryEvent, user: DirectoryUser, actor: Actor, **detail: object) -> None:
    audit.record(
        name,
        actor=actor,
        consumer=user.directory.consumer,
        target=user,
        detail={"email": user.email, **detail},
    )
