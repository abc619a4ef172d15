"""/oauth2/register: clients register themselves and manage what they registered (RFC 7591, RFC 7592)."""

import json
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables

from authority.endpoints.decorators import endpoint
from authority.tokens import bearer as presented
from clients import documents
from clients.actions import clients as client_actions
from clients.actions import registration as registration_actions
from clients.models import Client
from clients.registration import allowances, statements
from clients.registration.allowances import Permit
from clients.registration.errors import InvalidToken
from consumers.audit import Actor, origin
from consumers.models import Role
from consumers.rest.callers import Caller, authenticate
from consumers.rest.lookups import named
from core import rate_limits, throttling
from core.client_ip import caller_ip
from core.errors import Refusal
from core.rest.bodies import read_json
from core.rest.errors import AccessDenied, InsufficientScope, InvalidRequest, MissingToken, TooManyRequests

OPENLY = "20/h/ip"  # how often one address may register without any token
SCOPE = "clients:write"  # lets a management token do what a registration token does


@endpoint("POST", "OPTIONS")
@sensitive_variables()
def register(request: HttpRequest) -> HttpResponse:
    """Register a client (RFC 7591 section 3). A refused registration spends nothing."""
    if request.method == "OPTIONS":
        return _shared(HttpResponse(status=204))
    try:
        sent = _read_document(request)
        if sent.get("client_secret"):
            raise InvalidRequest("We choose the secrets, so that nobody can guess them. Leave client_secret out.")
        with transaction.atomic():
            permit = _permitted(request, sent)
            described, issuer = statements.apply(sent)
            client, secret, token = registration_actions.register(
                permit=permit,
                metadata=documents.read_registration(described),
                actor=_doer(request, "registration", permit.label),
                software_issuer=issuer,
            )
    except Refusal as refusal:
        return _refuse(refusal)
    return _answer(client, 201, secret=secret, token=token)


def _permitted(request: HttpRequest, sent: dict[str, Any]) -> Permit:
    """Return what the token of the request permits; without one, what is open to everybody."""
    text = _bearer(request)
    if not text:
        permit = allowances.openly()
        rate_limits.consume(request, OPENLY, "register", TooManyRequests)
        return permit
    if text.startswith(allowances.PREFIX):
        with throttling.guess(caller_ip(request), text, InvalidToken, TooManyRequests):
            return allowances.by_initial_token(text)
    caller = _manager(request)
    reached = caller.consumers("clients.add_client", Role.MANAGER)
    chosen = reached.filter(named(sent["consumer"])) if isinstance(sent.get("consumer"), str) else reached
    consumers = list(chosen[:2])
    if not reached.exists():
        raise AccessDenied("This needs a manager of the consumer, or an operator who may do it.")
    if len(consumers) != 1:
        raise InvalidRequest("Name the consumer that the client is for, in a member “consumer”.", field="consumer")
    return allowances.by_manager(consumers[0], caller.actor.label)


@endpoint("GET", "PUT", "DELETE")
@sensitive_variables()
def manage(request: HttpRequest, client_id: str) -> HttpResponse:
    """Read, replace or delete a client with its registration access token (RFC 7592 section 2)."""
    try:
        client, actor = _managed(request, client_id)
        if request.method == "DELETE":
            client_actions.delete_client(client=client, actor=actor)
            return HttpResponse(status=204)
        if request.method == "GET":
            return _answer(client)
        sent = _read_document(request)
        _check_unchanged(sent, client)
        itself = _bearer(request).startswith(registration_actions.MANAGES)
        permit = allowances.by_itself(client) if itself else allowances.by_manager(client.consumer, actor.label)
        with transaction.atomic():
            described, _ = statements.apply(sent) if sent.get("software_statement") else (sent, "")
            client, token = registration_actions.update(
                client=client, metadata=documents.read_registration(described, client), permit=permit, actor=actor
            )
    except Refusal as refusal:
        return _refuse(refusal)
    return _answer(client, token=token)


def _managed(request: HttpRequest, client_id: str) -> tuple[Client, Actor]:
    """Return the client that the token manages; a management token that reaches it does too.

    Raises InvalidToken, the same for a client that does not exist (RFC 7592 section 2).
    """
    text = _bearer(request)
    if text.startswith(registration_actions.MANAGES):
        with throttling.guess(caller_ip(request), text, InvalidToken, TooManyRequests):
            client = registration_actions.find_managed(text, client_id)
            if client is None:
                raise InvalidToken()
        return client, _doer(request, client.client_id, client.client_name)
    caller = _manager(request)
    reached = caller.consumers("clients.change_client", Role.MANAGER)
    found = Client.objects.select_related("consumer").filter(client_id=client_id, consumer__in=reached).first()
    if found is None:
        raise InvalidToken()
    return found, caller.actor


def _manager(request: HttpRequest) -> Caller:
    """Return whoever the management token stands for, if it may change clients.

    Raises InvalidToken, and InsufficientScope (RFC 6750 section 3.1).
    """
    caller, _ = authenticate(request)
    if SCOPE not in caller.scopes:
        raise InsufficientScope(f"This token lacks the scope {SCOPE}. Make one that has it.")
    return caller


def _bearer(request: HttpRequest) -> str:
    scheme, text = presented.read(request)
    return text if scheme == presented.BEARER else ""


def _doer(request: HttpRequest, identifier: str, label: str) -> Actor:
    return Actor(kind="client", id=identifier, label=label, **origin(request))


def _read_document(request: HttpRequest) -> dict[str, Any]:
    sent = read_json(request)
    if not isinstance(sent, dict):
        raise InvalidRequest("Send a JSON object: the client's metadata.")
    return sent


def _check_unchanged(sent: dict[str, Any], client: Client) -> None:
    """Refuse another client's ID, and a secret that is not this client's (RFC 7592 section 2.2)."""
    if sent.get("client_id") not in (None, "", client.client_id):
        raise InvalidRequest("client_id must be that of the address.", field="client_id")
    secret = sent.get("client_secret")
    if secret and not any(live.matches(str(secret)) for live in client.secrets.live()):
        raise InvalidRequest("client_secret is not one of the client's. Leave it out.", field="client_secret")


# -- Answers ----------------------------------------------------------------------------------------------------------


@sensitive_variables()
def _answer(client: Client, status: int = 200, *, secret: str | None = None, token: str = "") -> HttpResponse:
    """Return the client information response (RFC 7591 section 3.2.1, RFC 7592 section 3)."""
    document = documents.registration(client)
    if secret is not None:
        document |= {"client_secret": secret, "client_secret_expires_at": client.secrets.all_end_at()}
    if token:
        document["registration_access_token"] = token
    document["registration_client_uri"] = f"{settings.ISSUER}{reverse('register-client', args=[client.client_id])}"
    response = HttpResponse(json.dumps(document), status=status, content_type="application/json")
    return _shared(response)


def _refuse(refusal: Refusal) -> HttpResponse:
    """Return the error of RFC 7591 section 3.2.2, or of RFC 6750 section 3."""
    said = " ".join(each.for_programs for each in (refusal, *refusal.others))
    body = json.dumps({"error": refusal.code, "error_description": said})
    response = HttpResponse(body, status=refusal.status, content_type="application/json")
    if isinstance(refusal, MissingToken):
        response["WWW-Authenticate"] = 'Bearer realm="registration"'
    elif refusal.status == 401 or isinstance(refusal, InsufficientScope):
        response["WWW-Authenticate"] = f'Bearer realm="registration", error="{refusal.code}"'
    if isinstance(refusal, TooManyRequests):
        response["Retry-After"] = str(refusal.seconds)
    return _shared(response)


def _shared(response: HttpResponse) -> HttpResponse:
    """Let pages of any origin read it: no cookie opens this door, and a new client has no origin yet."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, MCP-Protocol-Version"
    return response
