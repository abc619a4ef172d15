"""Clients, compatible with Ory's API (/admin/clients): list, create, get, replace, patch, delete, disable, enable."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.views.decorators.debug import sensitive_variables

from clients import documents, queries
from clients.actions import clients as client_actions
from clients.actions import locks
from clients.api.lookups import client_at
from clients.errors import InvalidClientMetadata
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.policy import Policy, api_policy, operator_policy
from clients.schemas import CLIENT, CLIENT_EXAMPLE, LIFETIMES, OPERATOR_ONLY, READ_ONLY
from clients.vocabulary import ClientState, LastUse
from clients.workloads import LIFESPAN
from consumers.rest.lookups import consumer_for, consumer_matches
from consumers.rest.operations import ApiRequest, json_response, no_content, operation
from core.errors import PreconditionFailed
from core.rest import etags, patch
from core.rest.paging import PAGING, paginate

ABOUT: dict[str, Any] = {"tag": "Clients", "model": "clients.client"}
FILTERS: dict[str, dict[str, Any]] = {
    "client_name": {"type": "string", "description": "Exactly this name."},
    "owner": {"type": "string", "description": "Exactly this label."},
    "consumer": {"type": "string", "description": "Short name or ID of the consumer."},
    "q": {"type": "string", "description": "A part of the name or of the client ID."},
    "state": {"type": "string", "enum": ClientState.values, "description": "As the portal's list shows it."},
    "grant_type": {"type": "string", "description": "Has this grant type."},
    "scope": {"type": "string", "description": "Asks for this scope."},
    "redirect_uri": {"type": "string", "description": "Has exactly this redirect URI."},
    "used": {"type": "string", "enum": LastUse.values, "description": "When it was last used."},
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
def list_clients(call: ApiRequest) -> HttpResponse:
    """In the order in which they were created. The Link header has the URL of the next page, until there is none."""
    clients: QuerySet[Any] = Client.objects.select_related("consumer").prefetch_related("secrets")
    if not call.is_operator or call.caller.consumer_id is not None:
        clients = clients.filter(consumer__in=call.readable())
    rows, headers = paginate(call.request, _filtered(clients, call.query), call.query, whose=call.token_key)
    return json_response([documents.client_document(client) for client in rows], headers=headers)


def _filtered(clients: QuerySet[Any], query: dict[str, Any]) -> QuerySet[Any]:
    filters = {name: value for name, value in query.items() if name in FILTERS}
    if "consumer" in filters:
        clients = clients.filter(consumer_matches(filters.pop("consumer"), "consumer__"))
    return queries.filter_clients(clients, filters)


@operation(
    id="createOAuth2Client",
    summary="Create a client",
    scope="clients:write",
    action="add",
    query={"consumer": FILTERS["consumer"]},
    body=CLIENT,
    bad_body=InvalidClientMetadata,
    answers={201: CLIENT},
    example=CLIENT_EXAMPLE,
    refusals=(409,),
    **ABOUT,
)
@sensitive_variables("secret")
def create_client(call: ApiRequest) -> HttpResponse:
    """The answer alone holds the secret; nobody can read it again.

    The client belongs to the consumer that the token reaches. Where it reaches several, name one, as a member
    `consumer` of the body or in the address.
    """
    sent = call.body
    consumer = consumer_for(call, sent.get("consumer") or call.query.get("consumer"))
    if sent.get("client_id"):
        raise InvalidClientMetadata("We choose the client_id. Leave it out.", field="client_id")
    _refuse_secret(sent)
    documents.check_set_elsewhere(sent)
    client, secret = client_actions.register_client(
        consumer=consumer,
        metadata=documents.from_document(sent),
        policy=_policy(call),
        actor=call.caller.actor,
    )
    location = {"Location": f"/admin/clients/{client.client_id}"}
    return client_response(client, secret=secret, status=201, headers=location)


@operation(id="getOAuth2Client", summary="Read a client", scope="clients:read", answers=ONE, refusals=(404,), **ABOUT)
def get_client(call: ApiRequest, client_id: str) -> HttpResponse:
    """Never its secrets."""
    return client_response(client_at(call, client_id))


@operation(
    id="setOAuth2Client",
    locks_itself=True,
    summary="Replace a client",
    scope="clients:write",
    action="change",
    body=CLIENT,
    bad_body=InvalidClientMetadata,
    answers=ONE,
    example=CLIENT_EXAMPLE,
    refusals=(404, 409, 412),
    **ABOUT,
)
def set_client(call: ApiRequest, client_id: str) -> HttpResponse:
    """Members that are left out get their defaults. Send back what GET returned, and nothing changes.

    Members that we set ourselves are ignored. With If-Match, nobody's change in between is lost.
    """
    document, client = call.body, client_at(call, client_id)

    def replace(_: ClientMetadata) -> ClientMetadata:
        if document.get("client_id") not in (None, "", client.client_id):
            raise InvalidClientMetadata("A client keeps its client_id.", field="client_id")
        if document.get("consumer") not in (None, "", client.consumer.slug, str(client.consumer_id)):
            raise InvalidClientMetadata("A client stays with its consumer.", field="consumer")
        _refuse_secret(document, client)
        documents.check_set_elsewhere(document, client)
        return documents.from_document(document)

    return _update(call, client, replace)


@operation(
    id="patchOAuth2Client",
    locks_itself=True,
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
def patch_client(call: ApiRequest, client_id: str) -> HttpResponse:
    """JSON Patch (RFC 6902) with add, remove and replace, all carried out or none.

    What we set ourselves and secrets cannot be patched, and what operators decide by them alone.
    """
    operations = call.body
    fixed = (*READ_ONLY, *(() if call.is_operator else OPERATOR_ONLY), "client_secret")

    def patched(registered: ClientMetadata) -> ClientMetadata:
        return documents.from_document(
            patch.apply_patch(documents.writable_members(registered), operations, fixed=fixed)
        )

    return _update(call, client_at(call, client_id), patched)


@operation(
    id="deleteOAuth2Client",
    locks_itself=True,
    summary="Delete a client",
    scope="clients:write",
    action="delete",
    answers={204: "Deleted, with its secrets and tokens. Its activity is kept."},
    refusals=(404, 409, 412),
    **ABOUT,
)
def delete_client(call: ApiRequest, client_id: str) -> HttpResponse:
    """Whatever still uses it is refused from now on. To be able to undo it, disable it instead."""
    with transaction.atomic():
        client_actions.delete_client(client=client_for_change(call, client_id), actor=call.caller.actor)
    return no_content()


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
def set_lifespans(call: ApiRequest, client_id: str) -> HttpResponse:
    """Replaces all of them, and nothing else: those left out get their defaults.

    Only a workload's identity_token_lifespan stays when it is left out, because Ory's programs do not know it.
    """
    documents.check_unsupported(call.body)
    lifespans = documents.parse_lifespans(call.body)

    def with_lifespans(registered: ClientMetadata) -> ClientMetadata:
        kept = {LIFESPAN} & registered.lifespans.keys() - call.body.keys()
        return registered.replace(lifespans={name: registered.lifespans[name] for name in kept} | lifespans)

    return _update(call, client_at(call, client_id), with_lifespans)


@operation(
    id="disableOAuth2Client",
    summary="Disable a client",
    scope="clients:write",
    action="change",
    answers=ONE,
    refusals=(404, 409, 412),
    **ABOUT,
)
def disable_client(call: ApiRequest, client_id: str) -> HttpResponse:
    """Every request of it is refused from now on. Enabling undoes it."""
    with transaction.atomic():
        client_actions.disable_client(client=client_for_change(call, client_id), actor=call.caller.actor)
    return client_response(client_at(call, client_id))


@operation(
    id="enableOAuth2Client",
    summary="Enable a client",
    scope="clients:write",
    action="change",
    answers=ONE,
    refusals=(404, 409, 412),
    **ABOUT,
)
def enable_client(call: ApiRequest, client_id: str) -> HttpResponse:
    """Undoes disabling."""
    with transaction.atomic():
        client_actions.enable_client(client=client_for_change(call, client_id), actor=call.caller.actor)
    return client_response(client_at(call, client_id))


# -- Helpers ----------------------------------------------------------------------------------------------------------


def client_for_change(call: ApiRequest, client_id: str) -> Client:
    """Return the client if the caller may change it and If-Match holds (RFC 9110 section 13.1.1).

    Where the header names a revision the client is locked, so that it holds until the action has changed it. Actions
    lock and read it anew in any case.
    """
    client = client_at(call, client_id)
    call.require_writable(client.consumer)
    expected = _if_match(call)
    if expected is not None and locks.lock_client(client).revision not in expected:
        raise PreconditionFailed
    return client


def _update(call: ApiRequest, client: Client, change: Callable[[ClientMetadata], ClientMetadata]) -> HttpResponse:
    call.require_writable(client.consumer)
    updated = client_actions.update_client(
        client=client, change=change, if_match=_if_match(call), policy=_policy(call), actor=call.caller.actor
    )
    return client_response(updated)


def _policy(call: ApiRequest) -> Policy:
    return operator_policy if call.is_operator else api_policy


def _if_match(call: ApiRequest) -> list[str] | None:
    """Return the revisions that the If-Match header names, or None where any is accepted."""
    header = call.request.headers.get("If-Match")
    return None if header is None else etags.named_revisions(header)


@sensitive_variables("secret", "once")
def client_response(
    client: Client, *, secret: str | None = None, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return the client as JSON, with its entity tag; `secret` is the text of a new secret."""
    once = {} if secret is None else {"client_secret": secret}
    return json_response(documents.client_document(client), status, headers, once=once, revision=client.revision)


@sensitive_variables("secret")
def _refuse_secret(sent: dict[str, Any], client: Client | None = None) -> None:
    """Refuse a secret in the request, which could be guessable, unless it is one of the client's."""
    secret = sent.get("client_secret")
    if secret and not (client is not None and any(live.matches(secret) for live in client.secrets.live())):
        raise InvalidClientMetadata(
            "We choose the secrets, so that nobody can guess them. Leave it out; to get a new one, rotate.",
            field="client_secret",
        )
