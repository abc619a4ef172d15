"""Who is a member, and an operator, by what their identity provider says: kept in step at each sign-in."""

from django.db import transaction

from connections import emails
from connections.events import ConnectionEvent
from connections.models import Connection, Directory, Identity, JoiningRule, RuleKind
from connections.relying_party.claims import Person
from consumers import audit
from consumers.audit import SYSTEM, Actor
from consumers.events import ConsumerEvent
from consumers.models import Consumer, Membership, MembershipSource, Role, User
from core.db import rows
from core.rate_limits import Budget

_told = Budget("kept-managers", (1, 24 * 3600))
ORDER = {Role.VIEWER: 0, Role.MANAGER: 1}


def wanted_roles(connection: Connection, person: Person) -> dict[Consumer, Role]:
    """Return the role that the rules give the person at each consumer; of several the highest."""
    roles: dict[Consumer, Role] = {}
    rules = connection.rules.select_related("consumer").filter(consumer__suspended_at=None)
    for rule in rules:
        if matches(rule, person):
            role = Role(rule.role)
            roles[rule.consumer] = max(role, roles.get(rule.consumer, role), key=ORDER.__getitem__)
    return roles


def matches(rule: JoiningRule, person: Person) -> bool:
    """Say whether the rule is for the person; a domain counts only where the address is proven."""
    if rule.kind == RuleKind.DOMAIN:
        return person.is_proven and person.domain == rule.value
    return rule.value in person.groups


@transaction.atomic
def keep_in_step(*, user: User, connection: Connection, person: Person, actor: Actor) -> None:
    """Give, change and end memberships as the rules of the connection say.

    A membership by invitation stays as it is, and whom a directory switched off comes in by no rule. The last manager
    of a workspace stays one, and operators are told.
    """
    off = Directory.objects.filter(users__user=user, users__active=False).values_list("consumer", flat=True)
    wanted = {each: role for each, role in wanted_roles(connection, person).items() if each.pk not in set(off)}
    kept = Membership.objects.filter(user=user, source=MembershipSource.RULE, source_id=connection.pk)
    here = {*wanted, *Consumer.objects.filter(memberships__in=kept)}
    for consumer in sorted(here, key=lambda each: str(each.pk)):  # one order, so that no two wait for each other
        Consumer.objects.select_for_update().get(pk=consumer.pk)
        membership = Membership.objects.filter(user=user, consumer=consumer).first()
        role = wanted.get(consumer)
        if membership is None and role is not None:
            _join(user, consumer, role, connection, actor)
        elif membership is not None and membership.source_id == connection.pk and membership.role != role:
            change(membership=membership, role=role, by=connection.name, actor=actor)


def _join(user: User, consumer: Consumer, role: Role, connection: Connection, actor: Actor) -> None:
    Membership.objects.create(
        user=user,
        consumer=consumer,
        role=role,
        source=MembershipSource.RULE,
        source_id=connection.pk,
        source_label=connection.name,
    )
    audit.record(
        ConsumerEvent.MANAGER_JOINED,
        actor=actor,
        consumer=consumer,
        target=user,
        detail={"email": user.email, "role": role, "connection": connection.name},
    )


def change(*, membership: Membership, role: Role | None, by: str, actor: Actor) -> bool:
    """Give a membership that is kept elsewhere its role, or end it; return whether that was done.

    The last manager is kept, in the activity and by mail to operators: else nobody could mend it. The consumer is
    locked by the caller.
    """
    consumer, user = membership.consumer, membership.user
    others = Membership.objects.filter(consumer=consumer, role=Role.MANAGER, user__is_active=True)
    if membership.is_manager and role != Role.MANAGER and not others.exclude(pk=membership.pk).exists():
        if _told.spend(str(membership.pk)):
            return False
        audit.record(
            ConnectionEvent.LAST_MANAGER_KEPT,
            actor=SYSTEM,
            consumer=consumer,
            target=user,
            detail={"connection": by, "email": user.email},
        )
        emails.send_last_manager_kept(consumer, user, by)
        return False
    detail = {"email": user.email, "connection": by}
    if role is None:
        audit.record(ConsumerEvent.MANAGER_REMOVED, actor=SYSTEM, consumer=consumer, target=user, detail=detail)
        membership.delete()
        return True
    membership.role = role
    membership.save(update_fields=["role"])
    audit.record(
        ConsumerEvent.MANAGER_ROLE_CHANGED,
        actor=SYSTEM,
        consumer=consumer,
        target=user,
        detail=detail | {"role": role},
    )
    return True


@transaction.atomic
def keep_operator_rights(*, identity: Identity, connection: Connection, person: Person) -> None:
    """Make the person an operator, or none, as the group claim says, where the connection has such a group.

    A superuser is never touched, since full rights are given and taken by people.
    """
    user = identity.account.user
    value = connection.operator_claim_value
    if not (value and connection.for_operators) or user.is_superuser:
        return
    user = rows.lock(user)
    belongs = value in person.groups
    group = connection.operator_group
    wanted = [group] if belongs and group is not None else []
    Identity.objects.filter(pk=identity.pk).update(made_operator=belongs)
    if belongs == user.is_staff and (not belongs or list(user.groups.all()) == wanted):
        return
    user.is_staff = belongs
    user.save(update_fields=["is_staff"])
    user.groups.set(wanted)
    name = ConnectionEvent.OPERATOR_RIGHTS_GIVEN if belongs else ConnectionEvent.OPERATOR_RIGHTS_TAKEN
    audit.record(
        name, actor=SYSTEM, target=user, detail={"connection": connection.name, "group": value, "email": user.email}
    )
