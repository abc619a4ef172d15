"""Throttling of failed authentication, by network and by name.

Counted in memory, by each process for itself: nothing is asked or written, so that refusing costs next to nothing, and
needs neither cache nor database. docs/decisions/0025-limits.md says why that is enough.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import monotonic

from django.conf import settings

logger = logging.getLogger(__name__)

MAX_KEYS = 4096  # in each counter; callers from more networks make it forget the oldest, never grow
WINDOW = 60.0  # seconds, from the first failure on
FAILURES_PER_NAME_SHARE = 6  # a single name may fail so many times less often than the network that it comes from


@dataclass(slots=True)
class _Window:
    end: float  # on monotonic()
    count: int = 0


class FixedWindow[K: Hashable]:
    """Counts events by key in windows of `seconds`, each from its first event on; keeps the newest MAX_KEYS keys."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.windows: dict[K, _Window] = {}
        self._lock = threading.Lock()

    def add(self, key: K) -> int:
        """Count one event; return how many there were in this window."""
        with self._lock:
            window = self.windows.get(key)
            if window is None or window.end <= monotonic():
                self.windows.pop(key, None)  # so that the dictionary stays in the order of time
                window = self.windows[key] = _Window(monotonic() + self.seconds)
                if len(self.windows) > MAX_KEYS:
                    del self.windows[next(iter(self.windows))]
            window.count += 1
            return window.count

    def retry_after(self, key: K, limit: int) -> float:
        """Return the seconds until the window ends whose limit is reached; 0 while it is not."""
        window = self.windows.get(key)
        return max(0.0, window.end - monotonic()) if window is not None and window.count >= limit else 0.0

    def clear(self) -> None:
        self.windows.clear()


type _NameAtNetwork = tuple[str, int]  # a network, and the hash of a name: names may be long, and secret

_lock = threading.Lock()
_by_network: FixedWindow[str] = FixedWindow(WINDOW)
_by_name: FixedWindow[_NameAtNetwork] = FixedWindow(WINDOW)
_authenticated: dict[_NameAtNetwork, None] = {}


def retry_after(ip: str | None, name: str) -> int:
    """Return the seconds for which requests under that name from that address are refused; nearly always 0.

    A name is a client ID, or a token. One that has authenticated from there before answers for its own failures alone,
    so that nobody is locked out by a stranger behind the same address.
    """
    if not _by_name.windows or not (limit := settings.FAILURES_PER_MINUTE):
        return 0
    network = network_of(ip)
    key = (network, hash(name))
    seconds = _by_name.retry_after(key, max(1, limit // FAILURES_PER_NAME_SHARE))
    if not seconds and network and key not in _authenticated:
        seconds = _by_network.retry_after(network, limit)
    return ceil(seconds)


def record_failure(ip: str | None, name: str) -> None:
    """Count a failed authentication under that name from that address."""
    network = network_of(ip)
    _by_name.add((network, hash(name)))
    if _by_network.add(network) == settings.FAILURES_PER_MINUTE and network:
        logger.warning("too many requests from %s failed to authenticate: further ones get 429 for a while", network)


def mark_authenticated(ip: str | None, name: str) -> None:
    """Remember that the name has authenticated from there."""
    key = (network_of(ip), hash(name))
    if key not in _authenticated:
        with _lock:
            _authenticated[key] = None
            if len(_authenticated) > MAX_KEYS:
                del _authenticated[next(iter(_authenticated))]


@contextmanager
def throttle(ip: str | None, name: str, wrong: type[Exception], refusal: Callable[[int], Exception]) -> Iterator[None]:
    """Count whether a block, which authenticates the name and raises `wrong` if that fails, succeeds.

    Raises the refusal, with the seconds to wait, before the block begins.
    """
    if seconds := retry_after(ip, name):
        raise refusal(seconds)
    try:
        yield
    except wrong:
        record_failure(ip, name)
        raise
    mark_authenticated(ip, name)


@lru_cache(maxsize=1024)
def network_of(ip: str | None) -> str:
    """Return the address, of IPv6 the /64 that one line is given; "" for a caller who has none, on a socket."""
    try:
        address = ip_address(ip or "")
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


def reset() -> None:
    """Forget all failures and successes."""
    _by_network.clear()
    _by_name.clear()
    _authenticated.clear()
