"""Pushed authorization requests (RFC 9126): stored encrypted, opened in one browser, answered once."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models import Q

from authority.authorization import flow_state, quotas
from authority.authorization.flow_state import FlowState
from authority.authorization.request import PARAMETERS
from authority.models import PushedRequest
from authority.protocol.errors import InvalidRequestError, InvalidRequestUriError
from clients.models import Client
from core import clock
from core.credentials import token_digest
from core.encryption import fernet
from core.sweeps import delete_in_batches

MAX_LENGTH = 6000  # characters of the values together, as of a request that comes by POST
ROOM = 10  # expired requests that make room for a new one
PREFIX = "urn:ietf:params:oauth:request_uri:"


def unknown_request_uri() -> InvalidRequestUriError:
    return InvalidRequestUriError(
        "request_uri is unknown, has expired, was already used, or belongs to another client. Start again at the app."
    )


def push(client: Client, parameters: Mapping[str, str], ip: str | None) -> str:
    """Store the request; return its request_uri, which the client sends to the authorization endpoint.

    Raises InvalidRequestError for one that is too long, and TooManyRequestsError.
    """
    request_uri = PREFIX + secrets.token_urlsafe(32)
    kept = {name: value for name, value in parameters.items() if name in PARAMETERS}
    if sum(map(len, kept.values())) > MAX_LENGTH:
        raise InvalidRequestError(f"Shorten the request to {MAX_LENGTH:,} characters.")
    quotas.count(PushedRequest.objects.filter(opened_at=None), client, ip)
    _make_room()
    PushedRequest.objects.create(
        digest=token_digest(request_uri),
        client=client,
        encrypted_parameters=fernet().encrypt(json.dumps(kept).encode()),
        expires_at=clock.now() + timedelta(seconds=settings.PUSHED_REQUEST_LIFETIME),
    )
    return request_uri


def _make_room() -> None:
    """Delete some requests that expired unopened, so that there are never more than were pushed in their lifetime."""
    expired = PushedRequest.objects.filter(expires_at__lt=clock.now(), opened_at=None)
    some = expired.select_for_update(skip_locked=True).order_by("expires_at").values("pk")[:ROOM]
    PushedRequest.objects.filter(pk__in=some).delete()


def find(parameters: Mapping[str, str], flow: FlowState | None) -> PushedRequest | None:
    """Return the pushed request of request_uri, or None when there is no request_uri.

    Raises InvalidRequestUriError unless it is this client's, not answered yet, and either new or opened by the browser
    that comes again: it has the flow.
    """
    request_uri = parameters.get("request_uri", "")
    if not request_uri.startswith(PREFIX):
        return None
    pushed = PushedRequest.objects.select_related("client").filter(digest=token_digest(request_uri)).first()
    if pushed is None or pushed.client.client_id != parameters.get("client_id") or pushed.answered_at:
        raise unknown_request_uri()
    if pushed.opened_at is not None and flow is not None:
        return pushed
    if pushed.opened_at is not None or pushed.expires_at <= clock.now():
        raise unknown_request_uri()
    return pushed


def parameters_of(pushed: PushedRequest) -> dict[str, str]:
    opened: dict[str, str] = json.loads(fernet().decrypt(bytes(pushed.encrypted_parameters)))
    return opened


def open_once(pushed: PushedRequest, parameters: Mapping[str, str]) -> str:
    """Open the request in the first browser; return its signed flow state. Raises InvalidRequestUriError."""
    if not PushedRequest.objects.filter(pk=pushed.pk, opened_at=None).update(opened_at=clock.now()):
        raise unknown_request_uri()
    return flow_state.sign_state(parameters)


def answer_once(pushed: PushedRequest) -> bool:
    """Mark the request as answered (section 7.3); return False when it was before."""
    return bool(PushedRequest.objects.filter(pk=pushed.pk, answered_at=None).update(answered_at=clock.now()))


def delete_expired() -> None:
    """Delete the requests that expired unopened, and those whose flow has expired."""
    now = clock.now()
    is_over = Q(opened_at=None) | Q(expires_at__lt=now - timedelta(seconds=flow_state.LIFETIME))
    delete_in_batches(PushedRequest.objects.filter(expires_at__lt=now), "expires_at", ended=is_over)
