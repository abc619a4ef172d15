"""Writes of APIs, their scopes, and consumers' access to them."""

from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction

from clients.events import ClientEvent
from clients.models import Access, Api, Client, Scope
from consumers import audit, policy
from consumers.audit import Actor
from consumers.models import Consumer
from consumers.scopes import AUDIENCE, MANAGEMENT_SCOPES, PREFIX
from core.db import rows
from core.errors import Conflict, Refusal

MAX_SCOPES = 200  # of an API
MAX_RESOURCE_SERVERS = 50  # of an API


@transaction.atomic
def create_api(*, api: Api, scopes: Iterable[Scope] = (), actor: Actor) -> Api:
    """Save a new API with its scopes. Raises Conflict when its identifier or a scope's value is taken."""
    _save(api, scopes)
    audit.record(ClientEvent.API_CREATED, actor=actor, target=api, detail={"identifier": api.identifier})
    return api


@transaction.atomic
def update_api(
    *,
    api: Api,
    values: Mapping[str, object],
    scopes: Iterable[Scope] = (),
    removed: Iterable[Scope] = (),
    actor: Actor,
) -> Api:
    """Set fields of the API by name, save its new and changed scopes, and delete the removed ones.

    Raises Refusal where the identifier or a scope's value would change, or a scope that a consumer may use be deleted.
    """
    api, scopes, removed = rows.lock(api), list(scopes), list(removed)
    changed = rows.assign(api, values)
    _protect_management_api(api, forbidden=bool(removed) or any(not scope.pk for scope in scopes))
    if "identifier" in changed:
        raise Refusal("An API keeps its identifier, because issued tokens carry it.", field="identifier")
    kept = dict(Scope.objects.filter(pk__in=[scope.pk for scope in scopes if scope.pk]).values_list("pk", "value"))
    for scope in scopes:
        scope.api = api
        if kept.get(scope.pk, scope.value) != scope.value:
            raise Refusal(f"“{kept[scope.pk]}” keeps its value, because clients ask for it.", field="value")
    for scope in removed:
        if users := consumers_of(scope):
            raise Refusal(f"“{scope}” is used by {', '.join(users)}. Remove it from them first.", field="value")
        scope.delete()
    added = [scope.value for scope in scopes if not scope.pk]
    _save(api if changed else None, scopes)
    if changed or scopes or removed:
        audit.record(
            ClientEvent.API_UPDATED,
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
    """Set the clients that may introspect tokens for the API (RFC 7662). Raises Refusal for a public one."""
    api = rows.lock(api)
    requested, current = set(clients), set(api.resource_servers.all())
    if len(requested) > MAX_RESOURCE_SERVERS:
        raise Refusal(f"Name at most {MAX_RESOURCE_SERVERS} clients.", field="resource_servers")
    if any(client.is_public for client in requested):
        raise Refusal("A public client cannot authenticate, so it cannot act for an API.", field="resource_servers")
    if requested == current:
        return
    api.resource_servers.set(requested)
    audit.record(
        ClientEvent.API_RESOURCE_SERVERS_CHANGED,
        actor=actor,
        target=api,
        detail={
            "added": sorted(client.client_id for client in requested - current),
            "removed": sorted(client.client_id for client in current - requested),
        },
    )


@transaction.atomic
def delete_api(*, api: Api, actor: Actor) -> None:
    """Delete the API with its scopes, also from every consumer's access."""
    _protect_management_api(api, forbidden=True)
    audit.record(
        ClientEvent.API_DELETED,
        actor=actor,
        target=api,
        detail={"identifier": api.identifier, "removed": list(api.scopes.values_list("value", flat=True))},
    )
    api.delete()


@transaction.atomic
def set_access(*, consumer: Consumer, scopes: Iterable[Scope], actor: Actor) -> None:
    """Set the scopes that the consumer's clients may be granted; removing one takes effect at once."""
    Consumer.objects.select_for_update().get(pk=consumer.pk)
    requested = {scope.pk: scope for scope in scopes}
    current = {access.scope_id: access.scope for access in consumer.access.select_related("scope")}
    added = [scope for pk, scope in requested.items() if pk not in current]
    removed = [scope for pk, scope in current.items() if pk not in requested]
    if not added and not removed:
        return
    Access.objects.bulk_create(Access(consumer=consumer, scope=scope) for scope in added)
    consumer.access.filter(scope__in=removed).delete()
    audit.record(
        ClientEvent.CONSUMER_SCOPES_CHANGED,
        actor=actor,
        consumer=consumer,
        target=consumer,
        detail={
            "added": sorted(scope.value for scope in added),
            "removed": sorted(scope.value for scope in removed),
        },
    )


def consumers_of(scope: Scope) -> list[str]:
    """Return the names of the consumers that may use the scope."""
    return list(Consumer.objects.filter(access__scope=scope).values_list("name", flat=True))


def _protect_management_api(api: Api, *, forbidden: bool) -> None:
    if forbidden and api.identifier == AUDIENCE:
        raise Refusal("This is the portal's own API: its scopes are what the management API knows.")


def _save(api: Api | None, scopes: Iterable[Scope]) -> None:
    scopes = list(scopes)
    if api is not None:
        policy.model_fields(api)
    for scope in scopes:
        if api is not None:
            scope.api = api
        policy.model_fields(scope, but=("api",))
    try:
        with transaction.atomic():
            if api is not None:
                api.save()
            for scope in scopes:
                if api is not None:
                    scope.api = api  # which has its key now
                scope.save()
    except IntegrityError:
        raise Conflict("This identifier or one of these scopes has just been taken.") from None
    if any(scope.api.scopes.count() > MAX_SCOPES for scope in scopes[:1]):
        raise Refusal(f"An API has at most {MAX_SCOPES} scopes.", field="scopes")


@transaction.atomic
def create_management_api() -> None:
    """Create the Api row and the scopes of the management API, so that operators can give consumers access to it.

    Existing rows stay as they are. Called after each `migrate`; without an event, since nobody requested it.
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
