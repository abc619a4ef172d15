"""In-process caches of database rows, invalidated by PostgreSQL's notifications (core/notifications.py).

Each cache is bounded and filled on demand. Two rules keep it consistent: a value that was read before the latest
notification is not stored, since it may be older than the change; and nothing is returned more than MAX_STALENESS
seconds after the connection that listens was last known to work. Without a listener nothing is cached at all.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Set
from typing import Any, ClassVar

MAX_STALENESS = 1.0  # seconds

_lock = threading.Lock()
_generation = 0  # the number of invalidations so far
_fresh_until = 0.0  # on time.monotonic()


class NotifiedCache[K: Hashable, V]:
    """The `size` entries that were used last, each with the subjects whose change invalidates it."""

    instances: ClassVar[list["NotifiedCache[Any, Any]"]] = []

    def __init__(self, size: int) -> None:
        self.size = size
        self._entries: OrderedDict[K, tuple[V, frozenset[str]]] = OrderedDict()
        self.instances.append(self)

    def get(self, key: K) -> V | None:
        """Return the cached value, or None when there is none or the cache may be stale."""
        if not is_fresh():
            return None
        cached = self._entries.get(key)
        if cached is None:
            return None
        try:
            self._entries.move_to_end(key)
        except KeyError:  # invalidated by another thread just now
            return None
        return cached[0]

    def set(self, key: K, value: V, subjects: frozenset[str], *, generation: int) -> None:
        """Store the value, unless something was invalidated after `generation`.

        `generation` is what `current_generation()` returned before the database was queried.
        """
        with _lock:
            if generation == _generation and is_fresh():
                self._entries[key] = (value, subjects)
                self._entries.move_to_end(key)
                if len(self._entries) > self.size:
                    self._entries.popitem(last=False)

    def __len__(self) -> int:
        return len(self._entries)

    def items(self) -> list[tuple[K, V]]:
        """Return all keys and values, stale ones too, which counts as no use."""
        return [(key, value) for key, (value, _) in self._entries.items()]

    def _invalidate(self, changed: Set[str]) -> None:
        stale = [key for key, (_, subjects) in self._entries.items() if not subjects.isdisjoint(changed)]
        for key in stale:
            del self._entries[key]

    def _clear(self) -> None:
        self._entries.clear()


def current_generation() -> int:
    """Return the number of invalidations so far; read it before the query whose result is to be cached."""
    return _generation


def invalidate(changed: Set[str]) -> None:
    """Remove every entry about one of the subjects."""
    global _generation  # noqa: PLW0603
    with _lock:
        _generation += 1
        for cache in NotifiedCache.instances:
            cache._invalidate(changed)


def invalidate_all() -> None:
    """Empty every cache: notifications may have been missed while nothing listened."""
    global _generation, _fresh_until  # noqa: PLW0603
    with _lock:
        _generation += 1
        _fresh_until = 0.0
        for cache in NotifiedCache.instances:
            cache._clear()


def is_fresh() -> bool:
    """Return whether notifications were delivered within the last MAX_STALENESS seconds."""
    return time.monotonic() < _fresh_until


def seconds_until_stale() -> float:
    """Return for how long entries are returned unless another notification or heartbeat arrives."""
    return max(0.0, _fresh_until - time.monotonic())


def mark_fresh(since: float) -> None:
    """Note that at this moment, of time.monotonic(), every notification until then had been delivered."""
    global _fresh_until  # noqa: PLW0603
    _fresh_until = since + MAX_STALENESS
