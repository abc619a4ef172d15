"""/oauth2/register: clients register themselves and manage what they registered (RFC 7591, RFC 7592)."""

import json
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from authority.endpoints.decorators import endpoint
from authority.tokens import bearer
from clients import documents
from clients.actions import clients as client_actions
from clients.actions import registration as registration_actions
from clients.metadata import ClientMetadata
from clients.models import Client, SelfRegistration
from clients.registration import allowances, statements
from clients.registration.allowances import Allowance
from clients.registration.errors import InvalidRegistrationToken
from clients.registration.statements import SoftwareStatement
from consumers.audit import Actor, request_origin
from consumers.models import PersonalToken, Role
from consumers.rest.callers import ApiCaller, authenticate
from consumers.rest.lookups import consumer_matches
from core import rate_limits, throttling
from core.client_ip import caller_ip
from core.errors import Refusal
from core.rest import responses
from core.rest.bodies import read_json
from core.rest.errors import AccessDenied, InsufficientScope, InvalidRequest, MissingToken, TooManyRequests

OPEN_REGISTRATION_RATE = "20/h/ip"  # how often one address may register without any token
SCOPE = "clients:write"  # lets a management token do what a registration token does


@endpoint("POST", "OPTIONS")
@sensitive_variables()
def register(request: HttpRequest) -> HttpResponse:
    """Register a client (RFC 7591 section 3). A refused registration uses up no initial access token."""
    if request.method == "OPTIONS":
        return _readable_by_any_origin(HttpResponse(status=204))
    try:
        sent = _read_document(request)
        if sent.get("client_secret"):
            raise InvalidRequest("We choose the secrets, so that nobody can guess them. Leave client_secret out.")
        if not _bearer(request):
            _check_allowance(request, sent)
            rate_limits.count_request(request, OPEN_REGISTRATION_RATE, "register", TooManyRequests)
        statement = None
        if sent.get("software_statement"):  # its issuer's keys may have to be fetched: in no transaction
            _check_allowance(request, sent)
            statement = statements.read_statement(sent)
        with transaction.atomic():
            allowance = _allowance(request, sent)
            statement = statement or statements.read_statement(sent)
            described = statements.with_signed(sent, statement.signed if statement else {})
            client, secret, token = registration_actions.register_itself(
                allowance=allowance,
                metadata=documents.from_registration_request(described),
                actor=_actor(request, "registration", allowance.label),
                statement=statement,
            )
    except Refusal as refusal:
        return _refuse(refusal)
    return _client_information(client, 201, secret=secret, token=token)


def _check_allowance(request: HttpRequest, sent: dict[str, Any]) -> None:
    """Raise what `_allowance` raises, and use up nothing."""
    with transaction.atomic():
        _allowance(request, sent)
        transaction.set_rollback(True)


def _allowance(request: HttpRequest, sent: dict[str, Any]) -> Allowance:
    """Return the allowance of the request's token; without one, that of open registration."""
    text = _bearer(request)
    if not text:
        return allowances.for_open_registration()
    if text.startswith(allowances.INITIAL_ACCESS_TOKEN_PREFIX):
        with throttling.throttle(caller_ip(request), text, InvalidRegistrationToken, TooManyRequests):
            return registration_actions.use_initial_access_token(text)
    caller = _management_caller(request)
    reached = caller.consumers("clients.add_client", Role.MANAGER)
    chosen = reached.filter(consumer_matches(sent["consumer"])) if isinstance(sent.get("consumer"), str) else reached
    consumers = list(chosen[:2])
    if not reached.exists():
        raise AccessDenied("This needs a manager of the consumer, or an operator who may do it.")
    if len(consumers) != 1:
        raise InvalidRequest("Name the consumer that the client is for, in a member “consumer”.", field="consumer")
    return allowances.for_manager(consumers[0], caller.actor.label)


@endpoint("GET", "PUT", "DELETE")
@sensitive_variables()
def manage(request: HttpRequest, client_id: str) -> HttpResponse:
    """Read, replace or delete a client with its registration access token (RFC 7592 section 2)."""
    try:
        client, actor, personal_token = _client_and_actor(request, client_id)
        if request.method == "DELETE":
            client_actions.delete_client(client=client, actor=actor)
            return HttpResponse(status=204)
        if request.method == "GET":
            return _client_information(client)
        sent = _read_document(request)
        _check_unchanged(sent, client)
        token = _bearer(request)
        if token.startswith(registration_actions.REGISTRATION_ACCESS_TOKEN_PREFIX):
            allowance = allowances.for_self_update(client)
        else:
            token, allowance = "", allowances.for_manager(client.consumer, actor.label)
        kept = SelfRegistration.objects.filter(client=client).first()
        statement = statements.read_statement(sent, kept)  # outside of the transaction, as above
        with transaction.atomic():
            kept = SelfRegistration.objects.filter(client=client).first()
            client, token = registration_actions.update_itself(
                client=client,
                change=partial(_replaced, sent, statement, kept),
                allowance=allowance,
                actor=actor,
                statement=statement,
                registration_access_token=token,
                personal_token=personal_token,
            )
    except Refusal as refusal:
        return _refuse(refusal)
    return _client_information(client, token=token)


def _replaced(
    sent: dict[str, Any], statement: SoftwareStatement | None, kept: SelfRegistration | None, registered: ClientMetadata
) -> ClientMetadata:
    """Return the metadata of a PUT, in which what is signed stands: by its statement, else by the one that is kept."""
    if statement is not None:
        signed = statement.signed
    else:
        document = documents.writable_members(registered)
        signed = {name: document.get(name) for name in (kept.signed_members if kept else ())}
    return documents.from_registration_request(statements.with_signed(sent, signed), registered)


def _client_and_actor(request: HttpRequest, client_id: str) -> tuple[Client, Actor, PersonalToken | None]:
    """Return the client that the token manages; a management token that reaches it does too, and may be a person's.

    Raises InvalidRegistrationToken, the same for a client that does not exist (RFC 7592 section 2).
    """
    text = _bearer(request)
    if text.startswith(registration_actions.REGISTRATION_ACCESS_TOKEN_PREFIX):
        with throttling.throttle(caller_ip(request), text, InvalidRegistrationToken, TooManyRequests):
            token = registration_actions.find_registration_access_token(text, client_id)
            if token is None:
                raise InvalidRegistrationToken()
        return token.client, _actor(request, token.client.client_id, token.client.client_name), None
    caller = _management_caller(request)
    reached = caller.consumers("clients.change_client", Role.MANAGER)
    found = Client.objects.select_related("consumer").filter(client_id=client_id, consumer__in=reached).first()
    if found is None:
        raise InvalidRegistrationToken()
    return found, caller.actor, caller.personal_token


def _management_caller(request: HttpRequest) -> ApiCaller:
    """Return the caller of the management token, if it may change clients.

    Raises InvalidRegistrationToken, and InsufficientScope (RFC 6750 section 3.1).
    """
    caller, _ = authenticate(request)
    if SCOPE not in caller.scopes:
        raise InsufficientScope(f"This token lacks the scope {SCOPE}. Create one that has it.")
    return caller


def _bearer(request: HttpRequest) -> str:
    scheme, text = bearer.read_authorization(request)
    return text if scheme == bearer.BEARER else ""


def _actor(request: HttpRequest, identifier: str, label: str) -> Actor:
    return Actor(kind="client", id=identifier, label=label, **request_origin(request))


def _read_document(request: HttpRequest) -> dict[str, Any]:
    sent = read_json(request)
    if not isinstance(sent, dict):
        raise InvalidRequest("Send a JSON object: the client's metadata.")
    return sent


def _check_unchanged(sent: dict[str, Any], client: Client) -> None:
    """Refuse another client's ID, and a secret that is not this client's (RFC 7592 section 2.2)."""
    if sent.get("client_id") not in (None, "", client.client_id):
        raise InvalidRequest("client_id must be the one in the URL.", field="client_id")
    secret = sent.get("client_secret")
    if secret and not any(live.matches(str(secret)) for live in client.secrets.live()):
        raise InvalidRequest("client_secret does not match. Leave it out.", field="client_secret")


# -- Answers ----------------------------------------------------------------------------------------------------------


@sensitive_variables()
def _client_information(
    client: Client, status: int = 200, *, secret: str | None = None, token: str = ""
) -> HttpResponse:
    """Return the client information response (RFC 7591 section 3.2.1, RFC 7592 section 3)."""
    document = documents.registration_response(client)
    if secret is not None:
        document |= {"client_secret": secret, "client_secret_expires_at": client.secrets.client_secret_expires_at()}
    if token:
        document["registration_access_token"] = token
    document["registration_client_uri"] = f"{settings.ISSUER}{reverse('register-client', args=[client.client_id])}"
    response = HttpResponse(json.dumps(document), status=status, content_type="application/json")
    return _readable_by_any_origin(response)


def _refuse(refusal: Refusal) -> HttpResponse:
    """Return the error of RFC 7591 section 3.2.2, or of RFC 6750 section 3."""
    response = responses.error(refusal.code, responses.sentences(refusal), refusal.status)
    if isinstance(refusal, MissingToken):
        response["WWW-Authenticate"] = responses.challenge(realm="registration")
    elif refusal.status == 401 or isinstance(refusal, InsufficientScope):
        response["WWW-Authenticate"] = responses.challenge(realm="registration", error=refusal.code)
    if isinstance(refusal, TooManyRequests):
        response["Retry-After"] = str(refusal.seconds)
    return _readable_by_any_origin(response)


def _readable_by_any_origin(response: HttpResponse) -> HttpResponse:
    """Let pages of any origin read the response: no cookie is used, and a new client has no origin yet."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, MCP-Protocol-Version"
    return response
