"""Authorization requests that clients push beforehand (RFC 9126): kept sealed, opened in one browser, answered once."""

import json
import secrets
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from authority.authorization import flow_state
from authority.authorization.flow_state import Ticket
from authority.authorization.request import PARAMETERS
from authority.models import PushedRequest
from authority.protocol.errors import InvalidRequestUriError
from clients.models import Client
from core.digests import digest
from core.encryption import vault

PREFIX = "urn:ietf:params:oauth:request_uri:"


def unknown() -> InvalidRequestUriError:
    return InvalidRequestUriError(
        "request_uri is unknown, has ended, was used already, or is another client's. Start again at the app."
    )


def push(client: Client, parameters: Mapping[str, str]) -> str:
    """Keep the request; return its request_uri, which the client takes to the authorization endpoint."""
    request_uri = PREFIX + secrets.token_urlsafe(32)
    kept = {name: value for name, value in parameters.items() if name in PARAMETERS}
    PushedRequest.objects.create(
        digest=digest(request_uri),
        client=client,
        sealed=vault().encrypt(json.dumps(kept).encode()),
        expires_at=timezone.now() + timedelta(seconds=settings.PUSHED_REQUEST_LIFETIME),
    )
    return request_uri


def find(parameters: Mapping[str, str], ticket: Ticket | None) -> PushedRequest | None:
    """Return the pushed request that is meant, or None when none is.

    Raises InvalidRequestUriError unless it is this client's, not answered yet, and either new or opened by the browser
    that comes again: it has the ticket.
    """
    request_uri = parameters.get("request_uri", "")
    if not request_uri.startswith(PREFIX):
        return None
    pushed = PushedRequest.objects.select_related("client").filter(digest=digest(request_uri)).first()
    if pushed is None or pushed.client.client_id != parameters.get("client_id") or pushed.answered_at:
        raise unknown()
    if pushed.opened_at is not None and ticket is not None:
        return pushed
    if pushed.opened_at is not None or pushed.expires_at <= timezone.now():
        raise unknown()
    return pushed


def parameters_of(pushed: PushedRequest) -> dict[str, str]:
    opened: dict[str, str] = json.loads(vault().decrypt(bytes(pushed.sealed)))
    return opened


def open_once(pushed: PushedRequest, parameters: Mapping[str, str]) -> str:
    """Give the request to the browser that comes with it first; return its ticket. Raises InvalidRequestUriError."""
    if not PushedRequest.objects.filter(pk=pushed.pk, opened_at=None).update(opened_at=timezone.now()):
        raise unknown()
    return flow_state.issue(parameters)


def answer_once(pushed: PushedRequest) -> bool:
    """Note that the request is answered (section 7.3); return False to all but the first."""
    return bool(PushedRequest.objects.filter(pk=pushed.pk, answered_at=None).update(answered_at=timezone.now()))


def ended() -> QuerySet[PushedRequest]:
    """Return what was never opened in time, and what nobody can come back to."""
    now = timezone.now()
    old = now - timedelta(seconds=flow_state.LIFETIME)
    return PushedRequest.objects.filter(Q(opened_at=None, expires_at__lt=now) | Q(expires_at__lt=old))
