"""Ory's client API: list, create, read, replace, patch and delete clients (/admin/clients)."""

from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils.http import quote_etag
from django.views.decorators.debug import sensitive_variables

from clients import documents, queries
from clients.actions import clients as client_actions
from clients.actions import locks
from clients.api.lookups import find
from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.policy import api_policy
from clients.schemas import CLIENT, EXAMPLE, LIFETIMES, READ_ONLY, TRUST
from clients.workloads import LIFESPAN
from consumers.rest.lookups import consumer_for, named
from consumers.rest.operations import Call, answer, nothing, operation
from core.rest import patch
from core.rest.errors import PreconditionFailed
from core.rest.paging import PAGING, page

ABOUT: dict[str, Any] = {"tag": "Clients", "model": "clients.client"}
FILTERS: dict[str, dict[str, Any]] = {
    "client_name": {"type": "string", "description": "Exactly this name."},
    "owner": {"type": "string", "description": "Exactly this label."},
    "consumer": {"type": "string", "description": "Short name or ID of the consumer."},
    "q": {"type": "string", "description": "A part of the name or of the client ID."},
    "state": {"type": "string", "enum": list(queries.STATES), "description": "As the portal's list shows it."},
    "grant_type": {"type": "string", "description": "Has this grant type."},
    "scope": {"type": "string", "description": "Asks for this scope."},
    "redirect_uri": {"type": "string", "description": "Leads people back to exactly this address."},
    "used": {"type": "string", "enum": list(queries.USED), "description": "When it was last used."},
}
ONE = {200: CLIENT}


@operation(
    id="listOAuth2Clients",
    summary="List clients",
    scope="clients:read",
    query=PAGING | FILTERS,
    answers={200: {"type": "array", "items": CLIENT}},
    **ABOUT,
)
def list_clients(call: Call) -> HttpResponse:
    """In the order in which they were registered. Go on with the address in the Link header, until there is none."""
    clients: QuerySet[Any] = Client.objects.select_related("consumer").prefetch_related("secrets")
    if not call.is_operator or call.caller.consumer_id is not None:
        clients = clients.filter(consumer__in=call.readable())
    rows, headers = page(call.request, _filtered(clients, call.query), call.query, whose=call.token_key)
    return answer([documents.document(client) for client in rows], headers=headers)


def _filtered(clients: QuerySet[Any], query: dict[str, Any]) -> QuerySet[Any]:
    exact = {"client_name": "client_name", "owner": "owner"}
    among = {"grant_type": "grant_types", "scope": "scopes", "redirect_uri": "redirect_uris"}
    found = Q()
    for name, value in query.items():
        if name in exact:
            found &= Q(**{exact[name]: value})
        elif name in among:
            found &= Q(**{f"{among[name]}__contains": [value]})
        elif name == "consumer":
            found &= named(value, "consumer__")
    clients = queries.search(clients.filter(found), query.get("q", ""))
    if "used" in query:
        clients = queries.used(clients, query["used"])
    return queries.with_state(clients).filter(state=query["state"]) if "state" in query else clients


@operation(
    id="createOAuth2Client",
    summary="Register a client",
    scope="clients:write",
    action="add",
    query={"consumer": FILTERS["consumer"]},
    body=CLIENT,
    bad_body=InvalidClientMetadata,
    answers={201: CLIENT},
    example=EXAMPLE,
    refusals=(409,),
    **ABOUT,
)
@sensitive_variables("secret")
def create_client(call: Call) -> HttpResponse:
    """The answer alone holds the secret; nobody can read it again.

    The client belongs to the consumer that the token reaches. Where it reaches several, name one, as a member
    `consumer` of the body or in the address.
    """
    sent = call.body
    consumer = consumer_for(call, sent.get("consumer") or call.query.get("consumer"))
    if sent.get("client_id"):
        raise InvalidClientMetadata("We choose the client_id. Leave it out.", field="client_id")
    _refuse_secret(sent)
    documents.refuse_what_is_set_elsewhere(sent)
    client, secret = client_actions.register_client(
        consumer=consumer,
        metadata=documents.read(sent),
        policy=api_policy(consumer, trusted=call.is_operator),
        actor=call.caller.actor,
    )
    headers = {"Location": f"/admin/clients/{client.client_id}", "ETag": etag(client)}
    return answer(documents.document(client, secret=secret), 201, headers)


@operation(id="getOAuth2Client", summary="Read a client", scope="clients:read", answers=ONE, refusals=(404,), **ABOUT)
def get_client(call: Call, client_id: str) -> HttpResponse:
    """Never its secrets."""
    return shown(find(call, client_id))


@operation(
    id="setOAuth2Client",
    summary="Replace a client",
    scope="clients:write",
    action="change",
    body=CLIENT,
    bad_body=InvalidClientMetadata,
    answers=ONE,
    example=EXAMPLE,
    refusals=(404, 409, 412),
    **ABOUT,
)
def set_client(call: Call, client_id: str) -> HttpResponse:
    """Members that are left out get their defaults. Send back what GET returned, and nothing changes.

    Members that we set ourselves are ignored. With If-Match, nobody's change in between is lost.
    """
    sent = call.body
    with transaction.atomic():
        client = find_locked(call, client_id)
        if sent.get("client_id") not in (None, "", client.client_id):
            raise InvalidClientMetadata("A client keeps its client_id.", field="client_id")
        if sent.get("consumer") not in (None, "", client.consumer.slug, str(client.consumer_id)):
            raise InvalidClientMetadata("A client stays with its consumer.", field="consumer")
        _refuse_secret(sent, client)
        documents.refuse_what_is_set_elsewhere(sent, client)
        return shown(_save(call, client, documents.read(sent)))


@operation(
    id="patchOAuth2Client",
    summary="Patch a client",
    scope="clients:write",
    action="change",
    body=patch.PATCH,
    media_types=patch.MEDIA_TYPES,
    answers=ONE,
    example=[{"op": "replace", "path": "/owner", "value": "New owner"}],
    refusals=(404, 409, 412),
    **ABOUT,
)
def patch_client(call: Call, client_id: str) -> HttpResponse:
    """JSON Patch (RFC 6902) with add, remove and replace, all carried out or none.

    What we set ourselves and secrets cannot be patched, and what operators decide by them alone.
    """
    operations = call.body
    with transaction.atomic():
        client = find_locked(call, client_id)
        before = documents.writable(ClientMetadata.of(client))
        decided = () if call.is_operator else TRUST
        after = patch.apply(before, operations, fixed=(*READ_ONLY, *decided, "client_secret"))
        return shown(_save(call, client, documents.read(after)))


@operation(
    id="deleteOAuth2Client",
    summary="Delete a client",
    scope="clients:write",
    action="delete",
    answers={204: "It is gone, with its secrets and tokens. Its activity stays."},
    refusals=(404, 409, 412),
    **ABOUT,
)
def delete_client(call: Call, client_id: str) -> HttpResponse:
    """Whatever still uses it is refused from now on. To be able to undo it, disable it instead."""
    with transaction.atomic():
        client_actions.delete_client(client=find_locked(call, client_id), actor=call.caller.actor)
    return nothing()


@operation(
    id="setOAuth2ClientLifespans",
    summary="Set the lifetimes of a client's tokens",
    scope="clients:write",
    action="change",
    body=LIFETIMES,
    bad_body=InvalidClientMetadata,
    answers=ONE,
    example={"client_credentials_grant_access_token_lifespan": "15m0s"},
    refusals=(404, 409, 412),
    **ABOUT,
)
def set_lifespans(call: Call, client_id: str) -> HttpResponse:
    """Replaces all of them, and nothing else: those left out get their defaults.

    Only a workload's identity_token_lifespan stays when it is left out, because Ory's programs do not know it.
    """
    sent = call.body
    documents.refuse_what_has_no_effect(sent)
    with transaction.atomic():
        client = find_locked(call, client_id)
        before = ClientMetadata.of(client)
        ours = {name: seconds for name, seconds in before.lifespans.items() if name == LIFESPAN and name not in sent}
        return shown(_save(call, client, before.but(lifespans=ours | documents.read_lifespans(sent))))


@operation(
    id="disableOAuth2Client",
    summary="Disable a client",
    scope="clients:write",
    action="change",
    answers=ONE,
    refusals=(404, 409, 412),
    **ABOUT,
)
def disable_client(call: Call, client_id: str) -> HttpResponse:
    """Every request of it is refused from now on. Enabling undoes it."""
    with transaction.atomic():
        client_actions.disable_client(client=find_locked(call, client_id), actor=call.caller.actor)
    return shown(find(call, client_id))


@operation(
    id="enableOAuth2Client",
    summary="Enable a client",
    scope="clients:write",
    action="change",
    answers=ONE,
    refusals=(404, 409, 412),
    **ABOUT,
)
def enable_client(call: Call, client_id: str) -> HttpResponse:
    """Undoes disabling."""
    with transaction.atomic():
        client_actions.enable_client(client=find_locked(call, client_id), actor=call.caller.actor)
    return shown(find(call, client_id))


# -- Helpers ----------------------------------------------------------------------------------------------------------


def find_locked(call: Call, client_id: str) -> Client:
    """Return the client for a change, locked, if it is still as the caller saw it (RFC 9110 section 13.1.1)."""
    client = find(call, client_id)
    call.require_writable(client.consumer)
    client = locks.lock(client)
    wanted = call.request.headers.get("If-Match", "*")
    if wanted.strip() != "*" and etag(client) not in [each.strip() for each in wanted.split(",")]:
        raise PreconditionFailed
    return client


def _save(call: Call, client: Client, metadata: ClientMetadata) -> Client:
    policy = api_policy(client.consumer, client, trusted=call.is_operator)
    return client_actions.update_client(client=client, metadata=metadata, policy=policy, actor=call.caller.actor)


def shown(client: Client) -> HttpResponse:
    return answer(documents.document(client), headers={"ETag": etag(client)})


def etag(client: Client) -> str:
    """Name the state of the client; secrets are things of their own and do not change it."""
    return quote_etag(f"{client.pk:x}-{int(client.updated.timestamp() * 1_000_000):x}")


@sensitive_variables("secret")
def _refuse_secret(sent: dict[str, Any], client: Client | None = None) -> None:
    """Refuse a chosen secret: people choose ones that can be guessed. What the client holds already may stand there."""
    secret = sent.get("client_secret")
    if secret and not (client is not None and any(live.matches(secret) for live in client.secrets.live())):
        raise InvalidClientMetadata(
            "We choose the secrets, so that nobody can guess them. Leave it out; to get a new one, rotate.",
            field="client_secret",
        )
