"""Every change to what clients may ask for: the APIs, their scopes, and which consumer may use them."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from clients.models import Access, Api, Client, Scope
from consumers import audit, policy
from consumers.audit import Actor, EventName
from consumers.models import Consumer
from consumers.scopes import AUDIENCE, MANAGEMENT_SCOPES, PREFIX
from core.errors import Conflict, Refusal


@transaction.atomic
def create_api(*, api: Api, scopes: Iterable[Scope] = (), actor: Actor) -> Api:
    """Save a new API with its scopes. Raises Conflict when its identifier or a scope's value is taken."""
    _save(api, scopes)
    audit.record(EventName.API_CREATED, actor=actor, target=api, detail={"identifier": api.identifier})
    return api


@transaction.atomic
def update_api(
    *,
    api: Api,
    changed: Iterable[str] = (),
    scopes: Iterable[Scope] = (),
    removed: Iterable[Scope] = (),
    actor: Actor,
) -> Api:
    """Save the API's changed fields, its new and changed scopes, and delete those removed.

    Raises Refusal when tokens or consumers stand on what would change: the identifier, a scope's value, or a scope
    that a consumer may use.
    """
    changed, scopes, removed = sorted(changed), list(scopes), list(removed)
    _require_not_ours(api, forbidden=bool(removed) or any(not scope.pk for scope in scopes))
    if "identifier" in changed:
        raise Refusal("An API keeps its identifier, because issued tokens carry it.", field="identifier")
    values = dict(Scope.objects.filter(pk__in=[scope.pk for scope in scopes if scope.pk]).values_list("pk", "value"))
    for scope in scopes:
        if values.get(scope.pk, scope.value) != scope.value:
            raise Refusal(f"“{values[scope.pk]}” keeps its value, because clients ask for it.", field="value")
    for scope in removed:
        if users := users_of(scope):
            raise Refusal(f"“{scope}” is used by {', '.join(users)}. Take it away from them first.", field="value")
        scope.delete()
    added = [scope.value for scope in scopes if not scope.pk]
    _save(api if changed else None, scopes)
    if changed or scopes or removed:
        audit.record(
            EventName.API_UPDATED,
            actor=actor,
            target=api,
            detail={
                "fields": changed,
                "added": added,
                "changed": [scope.value for scope in scopes if scope.value not in added],
                "removed": [scope.value for scope in removed],
            },
        )
    return api


@transaction.atomic
def set_resource_servers(*, api: Api, clients: Iterable[Client], actor: Actor) -> None:
    """Let exactly these clients ask about tokens for the API (RFC 7662). Raises Refusal for a public one."""
    Api.objects.select_for_update().get(pk=api.pk)
    wanted, current = set(clients), set(api.resource_servers.all())
    if any(client.is_public for client in wanted):
        raise Refusal("A public client proves nothing, so it cannot ask for an API.", field="resource_servers")
    if wanted == current:
        return
    api.resource_servers.set(wanted)
    audit.record(
        EventName.API_SERVERS_CHANGED,
        actor=actor,
        target=api,
        detail={
            "added": sorted(client.client_id for client in wanted - current),
            "removed": sorted(client.client_id for client in current - wanted),
        },
    )


@transaction.atomic
def delete_api(*, api: Api, actor: Actor) -> None:
    """Delete the API with its scopes, which takes them from every consumer and client at once."""
    _require_not_ours(api, forbidden=True)
    audit.record(
        EventName.API_DELETED,
        actor=actor,
        target=api,
        detail={"identifier": api.identifier, "removed": list(api.scopes.values_list("value", flat=True))},
    )
    api.delete()


@transaction.atomic
def set_access(*, consumer: Consumer, scopes: Iterable[Scope], actor: Actor) -> None:
    """Let the consumer's clients have exactly these scopes; one that is taken away stops at once."""
    Consumer.objects.select_for_update().get(pk=consumer.pk)
    wanted = {scope.pk: scope for scope in scopes}
    current = {access.scope_id: access.scope for access in consumer.access.select_related("scope")}
    added = [scope for pk, scope in wanted.items() if pk not in current]
    removed = [scope for pk, scope in current.items() if pk not in wanted]
    if not added and not removed:
        return
    Access.objects.bulk_create(Access(consumer=consumer, scope=scope) for scope in added)
    consumer.access.filter(scope__in=removed).delete()
    audit.record(
        EventName.CONSUMER_SCOPES_CHANGED,
        actor=actor,
        consumer=consumer,
        target=consumer,
        detail={
            "added": sorted(scope.value for scope in added),
            "removed": sorted(scope.value for scope in removed),
        },
    )


def users_of(scope: Scope) -> list[str]:
    """Return the names of the consumers that may use the scope."""
    return list(Consumer.objects.filter(access__scope=scope).values_list("name", flat=True))


def _require_not_ours(api: Api, *, forbidden: bool) -> None:
    if forbidden and api.identifier == AUDIENCE:
        raise Refusal("This is the portal's own API: its scopes are what the management API knows.")


def _save(api: Api | None, scopes: Iterable[Scope]) -> None:
    scopes = list(scopes)
    if api is not None:
        policy.valid(api)
    for scope in scopes:
        if api is not None:
            scope.api = api
        policy.valid(scope, but=("api",))
    try:
        with transaction.atomic():
            if api is not None:
                api.save()
            for scope in scopes:
                if api is not None:
                    scope.api = api  # which has its key now
                scope.save()
    except IntegrityError:
        raise Conflict("Somebody has taken this identifier or one of these scopes meanwhile.") from None


@transaction.atomic
def describe_management_api() -> None:
    """Describe the management API as an API like any other, so that operators can let a consumer's clients use it.

    What is there already stays as it is; called after each `migrate`, without an event, for nobody does it.
    """
    api, _ = Api.objects.get_or_create(
        identifier=AUDIENCE,
        defaults={
            "name": "Clientdesk management",
            "description": "Manage this portal's clients and workspaces by programs.",
            "access_token_lifetime": 900,
        },
    )
    for value, (name, description) in MANAGEMENT_SCOPES.items():
        Scope.objects.get_or_create(
            value=f"{PREFIX}{value}", defaults={"api": api, "name": name, "description": description}
        )
