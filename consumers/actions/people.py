"""Change people's accounts and the rights of operators."""

from collections.abc import Iterable, Mapping

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction
from django.dispatch import Signal

from consumers import audit, emails, policy
from consumers.audit import Actor
from consumers.events import ConsumerEvent
from consumers.models import User
from core.db import rows
from core.errors import Conflict, Refusal
from core.limits import longest

MAX_WORKSPACES = 20  # in whose activity a sign-in stands
RIGHTS = frozenset({"is_staff", "is_superuser", "groups"})
person_signed_out = Signal()  # with the person, whose sessions end, and `keep`; other rooms end those that they keep


@transaction.atomic
def create_operator(*, person: User, groups: Iterable[Group] = (), actor: Actor) -> User:
    """Save a new person as an operator, who signs in by a code to their address. Raises Refusal."""
    _require_full_rights(actor)
    person.is_staff = True
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save()
            EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    except IntegrityError:
        raise Conflict(f"There is an account for {person.email} already. Make that person an operator.") from None
    person.groups.set(groups)
    audit.record(ConsumerEvent.OPERATOR_ADDED, actor=actor, target=person, detail={"email": person.email})
    return person


@transaction.atomic
def update_person(
    *, person: User, values: Mapping[str, object], groups: Iterable[Group] | None = None, actor: Actor
) -> User:
    """Set fields of a person by name, and their groups; deactivating ends their sessions. Raises Refusal.

    Only an operator with full rights changes rights, or a person with full rights; nobody shuts themselves out.
    """
    person = rows.lock(person)
    had_full_rights = person.is_superuser
    columns = rows.assign(person, values)
    regrouped = groups is not None and set(groups) != set(person.groups.all())
    changed = sorted([*columns, "groups"] if regrouped else columns)
    if not changed:
        return person
    if RIGHTS & set(changed) or had_full_rights:
        _require_full_rights(actor)
    if actor.id == str(person.pk) and set(changed) & {"is_active", *RIGHTS}:
        raise Refusal("You cannot change your own rights. Ask another operator.")
    if columns:
        person.save(update_fields=columns)
    if groups is not None:
        person.groups.set(groups)
    if "is_active" in changed and not person.is_active:
        end_sessions(person)
    audit.record(ConsumerEvent.PERSON_UPDATED, actor=actor, target=person, detail={"fields": changed})
    return person


@transaction.atomic
def record_sign_in(*, person: User, method: str, session_key: str, actor: Actor) -> None:
    """Record how a person has signed in: with the session, and in the activity of their workspaces or the portal's."""
    person.signed_in_by = method[: longest(User, "signed_in_by")]
    User.objects.filter(pk=person.pk).update(signed_in_by=person.signed_in_by)
    UserSession.objects.filter(session_key=session_key).update(data={"method": method})
    workspaces = [*person.workspaces()[:MAX_WORKSPACES]] or [None]
    for consumer in workspaces:
        audit.record(
            ConsumerEvent.PERSON_SIGNED_IN, actor=actor, consumer=consumer, target=person, detail={"method": method}
        )


def end_sessions(person: User, *, keep: str | None = None) -> None:
    """End the person's sessions now, but for the one of the key, or name in a room above, `keep`."""
    for session in UserSession.objects.filter(user=person).exclude(session_key=keep or ""):
        session.end()
    person_signed_out.send(User, person=person, keep=keep)


@transaction.atomic
def reset_second_factor(*, person: User, actor: Actor) -> int:
    """Remove the person's passkeys, authenticator app and recovery codes, and end their sessions; return how many went.

    The person and all other operators get a mail: whoever can do this could sign in as anybody. Raises Conflict.
    """
    person = rows.lock(person)
    removed: int = Authenticator.objects.filter(user=person).delete()[0]
    if not removed:
        raise Conflict(f"{person.address or person} has no second factor.")
    end_sessions(person)
    audit.record(ConsumerEvent.SECOND_FACTOR_RESET, actor=actor, target=person, detail={"removed": removed})
    for recipient in {person, *User.objects.filter(is_staff=True, is_active=True)}:
        emails.send_second_factor_reset(person, recipient=recipient)
    return removed


@transaction.atomic
def rename_person(*, person: User, name: str, actor: Actor) -> User:
    """Let a person say how their colleagues should read their name. Raises Refusal."""
    policy.person_name(name)
    return update_person(person=person, values={"name": name}, actor=actor)


@transaction.atomic
def save_group(*, group: Group, permissions: Iterable[Permission], actor: Actor) -> Group:
    """Save a group of operators and what it may do."""
    _require_full_rights(actor)
    group.save()
    group.permissions.set(permissions)
    rights = sorted(group.permissions.values_list("codename", flat=True))
    audit.record(ConsumerEvent.GROUP_SAVED, actor=actor, target=group, detail={"rights": rights})
    return group


@transaction.atomic
def delete_group(*, group: Group, actor: Actor) -> None:
    _require_full_rights(actor)
    audit.record(ConsumerEvent.GROUP_DELETED, actor=actor, target=group)
    group.delete()


def _require_full_rights(actor: Actor) -> None:
    """Refuse an operator who could otherwise give themselves, or a friend, more than they have."""
    if actor.kind != "system" and not (actor.user and actor.user.is_superuser):
        raise Refusal("Only an operator with full rights may do this.")
