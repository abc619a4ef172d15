"""Writes of APIs, their scopes, and consumers' access to them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from clients import emails
from clients.events import ClientEvent
from clients.models import Access, Api, Client, Scope
from consumers import audit, policy
from consumers.audit import SYSTEM, Actor
from consumers.models import Consumer
from consumers.scopes import AUDIENCE, MANAGEMENT_SCOPES, PREFIX
from core import clock
from core.db import rows
from core.errors import Conflict, Refusal
from core.timefmt import rfc3339

MAX_SCOPES = 200  # of an API
MAX_RESOURCE_SERVERS = 50  # of an API
LONGEST_GRANT = timedelta(days=3653)
MOST_CLEARED = 1_000  # permissions that have ended, in one run of the task


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
def set_access(
    *, consumer: Consumer, scopes: Iterable[Scope], ends: Mapping[str, datetime | None] | None = None, actor: Actor
) -> None:
    """Set the scopes that the consumer's clients may be granted; removing one takes effect at once.

    `ends` says by value until when each is granted, None for good. What it leaves out keeps its end; what is new has
    none. Raises Refusal for an end that has passed.
    """
    ends = ends or {}
    for end in ends.values():
        check_end(end)
    Consumer.objects.select_for_update().get(pk=consumer.pk)
    consumer.access.ended().delete()  # that nobody has cleared away yet; what is asked for again begins anew
    requested = {scope.pk: scope for scope in scopes}
    current = {access.scope_id: access for access in consumer.access.select_related("scope")}
    added = [scope for pk, scope in requested.items() if pk not in current]
    removed = [access.scope for pk, access in current.items() if pk not in requested]
    moved = [
        access
        for pk, access in current.items()
        if pk in requested and ends.get(access.scope.value, access.expires_at) != access.expires_at
    ]
    if not added and not removed and not moved:
        return
    Access.objects.bulk_create(
        Access(consumer=consumer, scope=scope, expires_at=ends.get(scope.value)) for scope in added
    )
    for access in moved:
        access.expires_at = ends[access.scope.value]
        access.save(update_fields=["expires_at"])
    consumer.access.filter(scope__in=removed).delete()
    until = {scope.value: ends[scope.value] for scope in added if ends.get(scope.value)}
    until |= {access.scope.value: access.expires_at for access in moved}
    audit.record(
        ClientEvent.CONSUMER_SCOPES_CHANGED,
        actor=actor,
        consumer=consumer,
        target=consumer,
        detail={
            "added": sorted(scope.value for scope in added),
            "removed": sorted(scope.value for scope in removed),
        }
        | ({"until": {value: end and rfc3339(end) for value, end in sorted(until.items())}} if until else {}),
    )


def check_end(end: datetime | None) -> None:
    """Refuse an end that has passed, or that lies so far ahead that it is none."""
    if end is not None and not clock.now() < end < clock.now() + LONGEST_GRANT:
        raise Refusal("Choose a date in the future, within ten years, or leave it out for good.", field="expires_at")


def clear_ended_access() -> None:
    """Delete the permissions that have ended, with an event and a mail. They have not worked since their end."""
    for pk in list(Access.objects.ended().order_by("expires_at").values_list("pk", flat=True)[:MOST_CLEARED]):
        _clear(pk)


@transaction.atomic
def _clear(pk: int) -> None:
    rows_of_it = Access.objects.ended().select_for_update(of=("self",), skip_locked=True)
    access = rows_of_it.select_related("consumer", "scope").filter(pk=pk).first()
    if access is None or access.expires_at is None:
        return
    access.delete()
    detail = {"scope": access.scope.value, "expires_at": rfc3339(access.expires_at)}
    audit.record(
        ClientEvent.CONSUMER_SCOPE_ENDED, actor=SYSTEM, consumer=access.consumer, target=access.consumer, detail=detail
    )
    emails.permission_ended(access)


def consumers_of(scope: Scope) -> list[str]:
    """Return the names of the consumers that may use the scope."""
    return list(
        Consumer.objects.filter(pk__in=Access.objects.live().filter(scope=scope).values("consumer")).values_list(
            "name", flat=True
        )
    )


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
