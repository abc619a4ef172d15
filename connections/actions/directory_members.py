"""Give and end the access of people whom a directory assigns and switches off.

A directory speaks for an account whose address is in a verified domain of a connection that names the consumer, and for
those that it made. Everybody else is invited, and decides; it never touches an operator
(docs/decisions/0040-scim.md).
"""

from collections.abc import Iterable
from math import ceil

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from connections import emails
from connections.actions import joining
from connections.events import ConnectionEvent
from connections.models import Directory, DirectoryGroup, DirectoryUser, GroupRole, ProvisionedAccount
from consumers import audit
from consumers.actions import departures, invitations
from consumers.actions.people import end_sessions, update_person
from consumers.audit import Actor
from consumers.events import ConsumerEvent
from consumers.models import Consumer, Event, Invitation, Membership, MembershipSource, Role, User
from core.errors import Conflict, Refusal
from core.limits import longest
from core.rate_limits import Budget
from core.rest.errors import TooManyRequests

# Mails to addresses of a directory's choice, by directory.
INVITATIONS = Budget("directory-invitations", (100, 3600))


class OperatorRefused(Refusal):
    """No directory gives an operator anything, or takes it."""

    code = "access_denied"
    status = 403

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is an operator of the portal, whom no directory keeps. Unassign this person.")


def wanted_role(row: DirectoryUser) -> Role:
    """Return the highest role of those that the person's groups give and that of the directory."""
    roles = row.groups.exclude(role=GroupRole.NONE).values_list("role", flat=True)
    return _highest(roles, row.directory)


def _highest(roles: Iterable[str], directory: Directory) -> Role:
    return max((Role(role) for role in (directory.default_role, *roles)), key=joining.ORDER.__getitem__)


def admit(row: DirectoryUser, actor: Actor) -> None:
    """Let an active person in: as a member where the directory speaks for them, else by an invitation."""
    if row.user is None:
        row.user = _account_of(row, actor)
    if row.user is None:
        _invite(row, actor)
        return
    _require_no_operator(row.user)
    _reactivate(row, actor)
    _join(row, actor)


def dismiss(row: DirectoryUser, actor: Actor) -> None:
    """Put a person out at once: membership, sessions, tokens, and the account where the directory made it."""
    person = row.user or (row.invitation.accepted_by if row.invitation else None)
    if person is None and row.email:
        person = User.objects.of_address(row.email).first()
    _revoke_invitations(row, actor)
    if person is None:
        return
    if person.is_staff or person.is_superuser:
        if row.user is None:
            return  # a member by invitation, for whom it does not speak
        raise OperatorRefused(person.email)
    consumer = row.directory.consumer
    _end_membership(person, row.directory, actor)
    departures.revoke_access(person=person, consumer=consumer, actor=actor)
    provisioned = ProvisionedAccount.objects.filter(user=person, directory=row.directory)
    if not provisioned.exists() and not row.directory.speaks_for(person.email):
        return
    end_sessions(person)
    if person.memberships.exists():
        return
    departures.revoke_access(person=person, consumer=None, actor=actor)
    if person.is_active and provisioned.update(switched_off_at=timezone.now()):
        update_person(person=person, values={"is_active": False}, actor=actor)


def follow_address(row: DirectoryUser, actor: Actor) -> None:
    """Follow a new address of an active person: invite it, or add it to the account that the directory speaks for."""
    if row.invitation is not None and row.invitation.accepted_at is not None:
        return  # they have joined, and look after their addresses themselves
    if row.user is None:
        _revoke_invitations(row, actor, but=row.email)
        admit(row, actor)
        return
    _require_no_operator(row.user)
    if row.directory.speaks_for(row.email) and not User.objects.of_address(row.email).exists():
        known = EmailAddress.objects.filter(user=row.user, email__iexact=row.email)
        known.delete()  # one that was never verified
        EmailAddress.objects.create(user=row.user, email=row.email.lower(), verified=True, primary=False)


def follow_name(row: DirectoryUser, actor: Actor) -> None:
    """Call an account that the directory made as the directory does."""
    name = row.name[: longest(User, "name")]
    if row.user is not None and name and ProvisionedAccount.objects.filter(user=row.user, directory=row.directory):
        _require_no_operator(row.user)
        update_person(person=row.user, values={"name": name}, actor=actor)


def keep_roles(directory: Directory, people: QuerySet[DirectoryUser]) -> None:
    """Give the members among these people the role that their groups say now. The last manager stays one."""
    accounts = dict(people.filter(active=True, user__isnull=False).values_list("pk", "user_id"))
    Consumer.objects.select_for_update().get(pk=directory.consumer_id)
    given: dict[object, list[str]] = {}
    roles = DirectoryGroup.objects.filter(directory=directory).exclude(role=GroupRole.NONE)
    for pk, role in roles.filter(members__in=list(accounts)).values_list("members", "role"):
        given.setdefault(accounts.get(pk), []).append(role)
    kept = Membership.objects.filter(
        consumer=directory.consumer_id,
        user__in=list(accounts.values()),
        source=MembershipSource.DIRECTORY,
        source_id=directory.pk,
    )
    # Those who become managers first, so that none is kept as the last.
    wanted = [(each, _highest(given.get(each.user_id, ()), directory)) for each in kept.select_related("user")]
    for membership, role in sorted(wanted, key=lambda pair: -joining.ORDER[pair[1]]):
        if membership.role != role:
            membership.consumer = directory.consumer
            joining.change(membership=membership, role=role, by=directory.name, actor=audit.SYSTEM)


# -- Accounts ---------------------------------------------------------------------------------------------------------


def _account_of(row: DirectoryUser, actor: Actor) -> User | None:
    """Return the account that the directory speaks for, made where there is none; None for whoever must be invited."""
    if not row.directory.speaks_for(row.email):
        return None
    user = User.objects.of_address(row.email).first()
    if user is None:
        return _provision(row, actor)
    _require_no_operator(user)
    if not row.directory.speaks_for(user.email):
        return None  # of another organisation, with a further address here
    if row.directory.users.filter(user=user).exclude(pk=row.pk).exists():
        raise Conflict(f"Another person of the directory has the address {row.email}.", field="emails")
    return user


def _provision(row: DirectoryUser, actor: Actor) -> User:
    try:
        with transaction.atomic():
            user = User.objects.create_user(row.email, name=row.name[: longest(User, "name")])
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    except IntegrityError:
        raise Conflict(f"An account for {row.email} was made at this moment. Try again.") from None
    ProvisionedAccount.objects.create(user=user, directory=row.directory)
    audit.record(
        ConnectionEvent.PERSON_PROVISIONED,
        actor=actor,
        target=user,
        detail={"email": user.email, "connection": row.directory.name},
    )
    return user


def _reactivate(row: DirectoryUser, actor: Actor) -> None:
    """Restore an account that this directory deactivated, and about which nobody else has decided since."""
    person = row.user
    off = ProvisionedAccount.objects.filter(user=person, directory=row.directory, switched_off_at__isnull=False).first()
    if person is None or off is None:
        return
    since = Event.objects.filter(
        name=ConsumerEvent.PERSON_UPDATED,
        target_id=str(person.pk),
        at__gt=off.switched_off_at,
        detail__fields__contains=["is_active"],
    )
    if person.is_active or not since.exclude(actor_id=actor.id).exists():
        off.switched_off_at = None
        off.save(update_fields=["switched_off_at"])
        row.user = update_person(person=person, values={"is_active": True}, actor=actor)


def _require_no_operator(user: User) -> None:
    if user.is_staff or user.is_superuser:
        raise OperatorRefused(user.email)


# -- Memberships ------------------------------------------------------------------------------------------------------


def _join(row: DirectoryUser, actor: Actor) -> None:
    directory, role = row.directory, wanted_role(row)
    consumer = Consumer.objects.select_for_update().get(pk=directory.consumer_id)
    membership = Membership.objects.filter(user=row.user, consumer=consumer).first()
    if membership is not None:
        if membership.source_id == directory.pk and membership.role != role:
            joining.change(membership=membership, role=role, by=directory.name, actor=actor)
        return  # what people gave stays theirs
    assert row.user is not None
    Membership.objects.create(
        user=row.user,
        consumer=consumer,
        role=role,
        source=MembershipSource.DIRECTORY,
        source_id=directory.pk,
        source_label=directory.name,
    )
    audit.record(
        ConsumerEvent.MANAGER_JOINED,
        actor=actor,
        consumer=consumer,
        target=row.user,
        detail={"email": row.user.email, "role": role, "connection": directory.name},
    )


def _end_membership(person: User, directory: Directory, actor: Actor) -> None:
    """End the membership, whoever gave it; also that of the last manager, of which operators are told."""
    consumer = Consumer.objects.select_for_update().get(pk=directory.consumer_id)
    membership = Membership.objects.filter(user=person, consumer=consumer).first()
    if membership is None:
        return
    audit.record(
        ConsumerEvent.MANAGER_REMOVED,
        actor=actor,
        consumer=consumer,
        target=person,
        detail={"email": person.email, "connection": directory.name},
    )
    membership.delete()
    managers = Membership.objects.filter(consumer=consumer, role=Role.MANAGER, user__is_active=True)
    if membership.is_manager and not managers.exists():
        emails.send_last_manager_gone(consumer, person, directory.name)


# -- Invitations ------------------------------------------------------------------------------------------------------


def _invite(row: DirectoryUser, actor: Actor) -> None:
    """Invite an address for which the directory does not speak, once. Whoever has none stays pending."""
    consumer, email = row.directory.consumer, row.email
    if not email or Membership.objects.filter(consumer=consumer, user__in=User.objects.of_address(email)).exists():
        return
    pending = Invitation.objects.pending().filter(consumer=consumer, email__iexact=email).first()
    if pending is None:
        if seconds := INVITATIONS.spend(str(row.directory_id)):
            raise TooManyRequests(ceil(seconds))
        pending = invitations.invite_manager(consumer=consumer, email=email, actor=actor, role=wanted_role(row))
    row.invitation = pending


def _revoke_invitations(row: DirectoryUser, actor: Actor, but: str = "") -> None:
    """Revoke the open invitations of the person's address, and the one that the directory had sent."""
    pending = Invitation.objects.pending().filter(consumer=row.directory.consumer_id)
    found = {each.pk: each for each in pending.filter(email__iexact=row.email)} if row.email and not but else {}
    if row.invitation_id is not None:
        found |= {each.pk: each for each in pending.filter(pk=row.invitation_id)}
    for invitation in found.values():
        if invitation.email.lower() != but.lower():
            invitations.revoke_invitation(invitation=invitation, actor=actor)
            row.invitation = None
