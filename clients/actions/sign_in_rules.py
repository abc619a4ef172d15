"""Writes of who may sign in to apps that ask for an API's scopes, and what follows for its connections."""

from collections.abc import Iterable, Mapping

from django.db import transaction

from clients.events import ClientEvent
from clients.models import Api, GroupRole, SignInBy
from clients.policy import sign_ins as rules
from connections.models import Connection
from consumers import audit
from consumers.audit import Actor
from core.db import rows
from core.errors import Refusal

FIELDS = (
    "sign_in",
    "reauthenticate_after",
    "requires_two_factors",
    "asks_consent_each_time",
    *rules.ADDRESSES,
)


@transaction.atomic
def set_sign_in(
    *, api: Api, values: Mapping[str, object], connections: Iterable[Connection] | None = None, actor: Actor
) -> Api:
    """Set fields of FIELDS by name, and whose people sign in; None leaves the connections. Raises Refusal.

    It holds for sign-ins from now on, and at the next refresh of those that are there.
    """
    if unknown := values.keys() - set(FIELDS):
        raise Refusal(f"{sorted(unknown)[0]} does not say who may sign in.")
    api = rows.lock(api)
    changed = rows.assign(api, values)
    current = set(api.sign_in_connections.all())
    chosen = current if connections is None else set(connections)
    # As they are now, so that none is switched off meanwhile.
    live = Connection.objects.select_for_update(no_key=True).in_bulk([each.pk for each in chosen])
    if not changed and chosen == current:
        return api
    rules.sign_in(api, list(live.values()))
    if changed:
        api.save(update_fields=changed)
    api.sign_in_connections.set(live.values())
    audit.record(
        ClientEvent.API_SIGN_IN_CHANGED,
        actor=actor,
        target=api,
        detail={
            "sign_in": api.sign_in,
            "fields": [name for name in changed if name != "sign_in"],
            "added": sorted(each.name for each in chosen - current),
            "removed": sorted(each.name for each in current - chosen),
        },
    )
    return api


def hinders_deletion(connection: Connection) -> str:
    """Return why the connection cannot be deleted, or ""."""
    apis = list(Api.objects.filter(sign_in=SignInBy.CONNECTIONS, sign_in_connections=connection)[:4])
    if not apis:
        return ""
    named = ", ".join([*(api.name for api in apis[:3]), *(["others"] if len(apis) > 3 else [])])
    return (
        f"People sign in by {connection} to apps that use {named}. Take it out there first, under “Who may sign in”; "
        "or switch it off."
    )


def hinders_no_groups(connection: Connection) -> str:
    """Return why the connection must go on reading groups, or ""."""
    rule = GroupRole.objects.select_related("role__api").filter(connection=connection).first()
    return f"Groups give roles in {rule.role.api}. Delete those rules first." if rule is not None else ""


def ends_with(connection: Connection) -> list[str]:
    """Return what is deleted with the connection, a sentence each."""
    number = GroupRole.objects.filter(connection=connection).count()
    if not number:
        return []
    rules_of_it = "1 rule that gives a role by group is" if number == 1 else f"{number:,} rules that give roles are"
    return [f"{rules_of_it} deleted, and people lose those roles at once."]
