"""Limits on requests that wait for a person: anybody may make them in the name of a public client."""

from math import ceil

from django.db.models import QuerySet

from authority.models import Challenge, DeviceRequest, PushedRequest
from authority.protocol.errors import TooManyRequestsError
from clients.models import Client
from core import clock, throttling
from core.throttling import FixedWindow

MAX_WAITING = 5_000  # of a client
PER_NETWORK = 60  # of a client, from one network in WINDOW, in each process
WINDOW = 60.0  # seconds
RETRY_AFTER = 30  # seconds, in which many of the waiting ones expire

_requests: FixedWindow[tuple[str, str, str]] = FixedWindow(WINDOW)


Waiting = QuerySet[DeviceRequest] | QuerySet[PushedRequest] | QuerySet[Challenge]


def count(
    waiting: Waiting,
    client: Client,
    ip: str | None,
    *,
    most: int | None = None,
    per_network: int | None = None,
    is_anybodys: bool | None = None,
) -> None:
    """Count one more request of the client, of those that wait. Raises TooManyRequestsError.

    Requests that anybody can make, by default those of a public client, are counted by network too.
    """
    most, per_network = most or MAX_WAITING, per_network or PER_NETWORK
    network = throttling.network_of(ip)
    if (client.is_public if is_anybodys is None else is_anybodys) and network:
        key = (waiting.model.__name__, client.client_id, network)
        if _requests.add(key) > per_network:
            raise TooManyRequestsError(ceil(_requests.retry_after(key, per_network)))
    live = waiting.filter(client=client, expires_at__gt=clock.now())
    if live.order_by()[most - 1 : most].exists():
        raise TooManyRequestsError(RETRY_AFTER)


def reset() -> None:
    """Forget what was counted."""
    _requests.clear()
