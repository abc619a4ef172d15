"""Who failed too often of late to prove who they are?

Counted in memory, by each process for itself: nothing is asked or written, so that refusing costs next to nothing, and
needs neither cache nor database. docs/decisions/limits.md says why that is enough.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil

from django.conf import settings

from core.tally import KEPT, Tally

logger = logging.getLogger(__name__)

WINDOW = 60.0  # seconds, from the first failure on
SHARE = 6  # a single name may fail so many times less often than the place from which it comes

type Pair = tuple[str, int]  # a place, and the hash of a name: names may be long, and secret

_lock = threading.Lock()
_of_places: Tally[str] = Tally(WINDOW)
_of_pairs: Tally[Pair] = Tally(WINDOW)
_proven: dict[Pair, None] = {}


def seconds_to_wait(ip: str | None, name: str) -> int:
    """Return how long whoever comes from there under that name has to wait; nearly always 0.

    A name is a client ID, or a token. One that has proven itself from there before answers for its own failures alone,
    so that nobody is locked out by a stranger behind the same address.
    """
    if not _of_pairs.spells or not (most := settings.FAILURES_PER_MINUTE):
        return 0
    here = place(ip)
    pair = (here, hash(name))
    seconds = _of_pairs.wait(pair, max(1, most // SHARE))
    if not seconds and here and pair not in _proven:
        seconds = _of_places.wait(here, most)
    return ceil(seconds)


def note(ip: str | None, name: str) -> None:
    """Count that a request from there proved nothing."""
    here = place(ip)
    _of_pairs.add((here, hash(name)))
    if _of_places.add(here) == settings.FAILURES_PER_MINUTE and here:
        logger.warning("too many requests from %s prove nothing: those that prove nothing get 429 for a while", here)


def proven(ip: str | None, name: str) -> None:
    """Remember that the name has proven itself from there."""
    pair = (place(ip), hash(name))
    if pair not in _proven:
        with _lock:
            _proven[pair] = None
            if len(_proven) > KEPT:
                del _proven[next(iter(_proven))]


@contextmanager
def guess(ip: str | None, name: str, wrong: type[Exception], refusal: Callable[[int], Exception]) -> Iterator[None]:
    """Let a block find out whether the name is right, which raises `wrong` if it is not; count that.

    Raises the refusal, with the seconds to wait, before the block begins.
    """
    if seconds := seconds_to_wait(ip, name):
        raise refusal(seconds)
    try:
        yield
    except wrong:
        note(ip, name)
        raise
    proven(ip, name)


@lru_cache(maxsize=1024)
def place(ip: str | None) -> str:
    """Return the address, of IPv6 the /64 that one line is given; "" for a caller who has none, on a socket."""
    try:
        address = ip_address(ip or "")
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


def forget() -> None:
    """Begin with nothing."""
    for kept in (_of_places.spells, _of_pairs.spells, _proven):
        kept.clear()
