"""Limits on requests that wait for a person: anybody may make them in the name of a public client."""

from math import ceil

from django.db.models import QuerySet

from authority.models import DeviceRequest, PushedRequest
from authority.protocol.errors import TooManyRequestsError
from clients.models import Client
from core import clock, throttling
from core.throttling import FixedWindow

MAX_WAITING = 5_000  # of a client
PER_NETWORK = 60  # of a client, from one network in WINDOW, in each process
WINDOW = 60.0  # seconds
RETRY_AFTER = 30  # seconds, in which many of the waiting ones expire

_requests: FixedWindow[tuple[str, str, str]] = FixedWindow(WINDOW)


Waiting = QuerySet[DeviceRequest] | QuerySet[PushedRequest]


def count(waiting: Waiting, client: Client, ip: str | None) -> None:
    """Count one more request of the client, of those that wait. Raises TooManyRequestsError."""
    if client.is_public:
        count_by_network(waiting.model.__name__, client, ip, PER_NETWORK)
    live = waiting.filter(client=client, expires_at__gt=clock.now())
    if live.order_by()[MAX_WAITING - 1 : MAX_WAITING].exists():
        raise TooManyRequestsError(RETRY_AFTER)


def count_by_network(what: str, client: Client, ip: str | None, most: int) -> None:
    """Count one more request that anybody may make in the client's name. Raises TooManyRequestsError."""
    if network := throttling.network_of(ip):
        key = (what, client.client_id, network)
        if _requests.add(key) > most:
            raise TooManyRequestsError(ceil(_requests.retry_after(key, most)))


def reset() -> None:
    """Forget what was counted."""
    _requests.clear()
