"""Writes of the roles of APIs, of who has them, and of the claims of their tokens."""

from collections.abc import Collection, Iterable

from django.db import IntegrityError, transaction

from clients.events import ClientEvent
from clients.models import Api, ApiClaim, ApiRole, GroupRole, RoleGrant
from clients.policy import roles as rules
from clients.vocabulary import RoleSource
from connections.models import Connection
from consumers import audit
from consumers.audit import Actor
from consumers.models import Consumer, Membership, User
from consumers.scopes import AUDIENCE
from core.db import rows
from core.errors import Conflict, Refusal

# -- What an API defines ----------------------------------------------------------------------------------------------


@transaction.atomic
def update_api_roles(*, api: Api, roles: Iterable[ApiRole], removed: Iterable[ApiRole] = (), actor: Actor) -> None:
    """Save new and changed roles of the API, and delete the removed ones.

    Raises Refusal where the value of a role would change, or a role that somebody has be deleted.
    """
    api, roles, removed = rows.lock(api), list(roles), list(removed)
    if not roles and not removed:
        return
    _refuse_management_api(api)
    known = dict(api.roles.values_list("pk", "value"))
    for role in roles:
        role.api = api
        rules.api_role(role)
        if known.get(role.pk, role.value) != role.value:
            raise Refusal(f"“{known[role.pk]}” keeps its value, because APIs look for it.", field="value")
    for role in removed:
        if number := role.grants.values("user").distinct().count():
            people = "1 person has" if number == 1 else f"{number:,} people have"
            raise Refusal(f"{people} the role “{role}”. Take it from them first.", field="value")
        if rule := GroupRole.objects.select_related("connection").filter(role=role).first():
            raise Refusal(
                f"“{rule.group}” of {rule.connection} gives the role “{role}”. Delete that rule first.", field="value"
            )
        role.delete()
    added = [role.value for role in roles if not role.pk]
    _save_all(roles, "The API has a role of this value already.")
    if api.roles.count() > rules.MAX_API_ROLES:
        raise Refusal(f"An API has at most {rules.MAX_API_ROLES} roles.", field="roles")
    detail = _detail(added, [role.value for role in roles], removed)
    audit.record(ClientEvent.API_ROLES_CHANGED, actor=actor, target=api, detail=detail)


@transaction.atomic
def update_api_claims(*, api: Api, claims: Iterable[ApiClaim], removed: Iterable[ApiClaim] = (), actor: Actor) -> None:
    """Save new and changed claims of the API's tokens, and delete the removed ones. The next tokens have them."""
    api, claims, removed = rows.lock(api), list(claims), list(removed)
    if not claims and not removed:
        return
    _refuse_management_api(api)
    for claim in removed:
        claim.delete()
    added = [claim.name for claim in claims if not claim.pk]
    for claim in claims:
        claim.api = api
        rules.api_claim(claim)
    _save_all(claims, "The API has a claim of this name already.")
    rules.claim_set(list(api.claims.all()))
    detail = _detail(added, [claim.name for claim in claims], removed)
    audit.record(ClientEvent.API_CLAIMS_CHANGED, actor=actor, target=api, detail=detail)


def _refuse_management_api(api: Api) -> None:
    if api.identifier == AUDIENCE:
        raise Refusal("This is the portal's own API: it knows no roles, and its tokens carry no more claims.")


def _save_all(found: Collection[ApiRole] | Collection[ApiClaim], taken: str) -> None:
    try:
        with transaction.atomic():
            for each in found:
                each.save()
    except IntegrityError:
        raise Conflict(taken) from None


def _detail(added: list[str], saved: list[str], removed: Iterable[object]) -> dict[str, list[str]]:
    changed = [each for each in saved if each not in added]
    return {"added": added, "changed": changed, "removed": [str(each) for each in removed]}


# -- Who has a role ---------------------------------------------------------------------------------------------------


@transaction.atomic
def set_roles(
    *,
    api: Api,
    user: User,
    roles: Iterable[ApiRole],
    source: RoleSource,
    consumer: Consumer | None,
    connection: Connection | None = None,
    actor: Actor,
) -> None:
    """Set which roles of the API the person has from this source, leaving what other sources gave.

    They count at the clients of the consumer, or of all consumers where it is None. With the source MANAGER, whoever
    acts is a manager of the consumer, and gives what the API lets managers give. With CONNECTION, `connection` is whose
    groups give them. The next token has them.
    """
    user = rows.lock(user)
    # As they are now: the operator may just have said that managers give one no longer.
    wanted = ApiRole.objects.select_related("api").in_bulk([role.pk for role in roles])
    if any(role.api_id != api.pk for role in wanted.values()):
        raise Refusal(f"{api} has no such role.", field="roles")
    place = {"source": source, "consumer": consumer, "connection": connection}
    held = RoleGrant.objects.filter(role__api=api, user=user, **place).select_related("role")
    current = {grant.role_id: grant for grant in held}
    added = [role for pk, role in wanted.items() if pk not in current]
    taken = [grant for pk, grant in current.items() if pk not in wanted]
    rules.give_roles(actor, source=source, consumer=consumer, user=user, added=added, roles=list(wanted.values()))
    if not added and not taken:
        return
    membership = Membership.objects.filter(user=user, consumer=consumer).first() if consumer else None
    RoleGrant.objects.filter(pk__in=[grant.pk for grant in taken]).delete()
    try:
        with transaction.atomic():
            RoleGrant.objects.bulk_create(
                RoleGrant(
                    role=role,
                    user=user,
                    membership=membership,
                    created_by=actor.user,
                    created_by_label=actor.label,
                    **place,
                )
                for role in added
            )
    except IntegrityError:
        raise Conflict("One of these roles has just been deleted.") from None
    audit.record(
        ClientEvent.PERSON_ROLES_CHANGED,
        actor=actor,
        consumer=consumer,
        target=user,
        detail={
            "api": api.name,
            "source": source,
            "added": sorted(role.value for role in added),
            "removed": sorted(grant.role.value for grant in taken),
        },
    )


@transaction.atomic
def give_role(*, role: ApiRole, user: User, consumer: Consumer | None, actor: Actor) -> RoleGrant:
    """Give the person a role, as an operator: at the consumer's clients, or at all clients. Raises Conflict."""
    user = rows.lock(user)
    source = RoleSource.OPERATOR
    held = _held(role.api, user, source, consumer)
    if role in held:
        raise Conflict(f"{user} has this role there already.")
    set_roles(api=role.api, user=user, roles=[*held, role], source=source, consumer=consumer, actor=actor)
    return RoleGrant.objects.get(role=role, user=user, source=source, consumer=consumer)


@transaction.atomic
def take_role(*, grant: RoleGrant, actor: Actor) -> None:
    """Take a role from a person, as an operator, whoever gave it. A connection may give it again."""
    user = rows.lock(grant.user)
    grant = rows.lock(grant)
    rules.require_operator(actor, "delete")
    grant.delete()
    audit.record(
        ClientEvent.PERSON_ROLES_CHANGED,
        actor=actor,
        consumer=grant.consumer,
        target=user,
        detail={"api": grant.role.api.name, "source": grant.source, "added": [], "removed": [grant.role.value]},
    )


def _held(api: Api, user: User, source: RoleSource, consumer: Consumer | None) -> list[ApiRole]:
    held = ApiRole.objects.filter(api=api, grants__user=user, grants__source=source, grants__consumer=consumer)
    return list(held.select_related("api"))
