"""Writes of the roles that the groups of a connection give."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from clients.events import ClientEvent
from clients.models import Api, GroupRole, RoleGrant
from clients.policy import roles as rules
from clients.vocabulary import RoleSource
from connections.models import Identity
from consumers import audit
from consumers.audit import Actor
from consumers.scopes import AUDIENCE
from core.db import rows
from core.errors import Conflict, Refusal

TAKEN = "This group has the role already."


@transaction.atomic
def update_group_roles(
    *, api: Api, group_roles: Iterable[GroupRole], removed: Iterable[GroupRole] = (), actor: Actor
) -> None:
    """Save new and changed rules by which groups give roles of the API, and delete the removed ones. Raises Refusal.

    Who is in a new rule's group has the role from their next sign-in on. What a rule alone gave ends with it, at once.
    """
    api, group_roles, removed = rows.lock(api), list(group_roles), list(removed)
    if not group_roles and not removed:
        return
    if api.identifier == AUDIENCE:
        raise Refusal("This is the portal's own API: it knows no roles.")
    before = {rule.pk: rule for rule in GroupRole.objects.filter(role__api=api).select_related("role", "connection")}
    if group_roles:
        rules.require_operator(actor, "add")
    if removed:
        rules.require_operator(actor, "delete")
    for rule in group_roles:
        rules.group_role(rule, api)
    if any(rule.pk not in before for rule in [*removed, *(each for each in group_roles if each.pk)]):
        raise Conflict("One of these rules has been deleted since. Load the page again.")
    added = [rule for rule in group_roles if not rule.pk]
    ended = [before[rule.pk] for rule in [*removed, *group_roles] if rule.pk]
    GroupRole.objects.filter(pk__in=[rule.pk for rule in removed]).delete()
    try:
        with transaction.atomic():
            for rule in group_roles:
                rule.save()
    except IntegrityError:
        raise Conflict(TAKEN, field="group") from None
    if GroupRole.objects.filter(role__api=api).count() > rules.MAX_GROUP_ROLES:
        raise Refusal(f"An API has at most {rules.MAX_GROUP_ROLES} roles by group.", field="group")
    audit.record(
        ClientEvent.API_GROUP_ROLES_CHANGED,
        actor=actor,
        target=api,
        detail={
            "added": [str(rule) for rule in added],
            "changed": [str(rule) for rule in group_roles if rule not in added],
            "removed": [str(before[rule.pk]) for rule in removed],
            "people": _take_ended(ended),
        },
    )


def _take_ended(ended: Iterable[GroupRole]) -> int:
    """Take the roles that no group of the person gives any more; return from how many people."""
    people = set()
    for role, connection in {(rule.role_id, rule.connection_id) for rule in ended}:
        held = RoleGrant.objects.filter(role=role, connection=connection, source=RoleSource.CONNECTION)
        groups = list(GroupRole.objects.filter(role=role, connection=connection).values_list("group", flat=True))
        if groups:
            still = Identity.objects.filter(connection=connection, groups__has_any_keys=groups)
            held = held.exclude(user__in=still.values("account__user"))
        people |= set(held.values_list("user", flat=True))
        held.delete()
    return len(people)
