"""What a process remembers of the database, and for how long it may trust that.

Each memory is bounded, filled on demand, and told by core/notifications.py what has changed. Two rules keep it honest:
whatever was asked before the latest news is not remembered, for it may be older than the news; and nothing is trusted
beyond TRUST seconds after the database was last known to reach us. Without a listener nothing is remembered at all.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, ClassVar

TRUST = 1.0  # seconds

_lock = threading.Lock()
_news = 0  # how often something has changed
_trusted_until = 0.0  # on time.monotonic()


class Memory[K: Hashable, V]:
    """The things that were asked for last, at most `size`, each with the subjects whose change makes it stale."""

    every: ClassVar[list["Memory[Any, Any]"]] = []

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: OrderedDict[K, tuple[V, frozenset[str]]] = OrderedDict()
        self.every.append(self)

    def recall(self, key: K) -> V | None:
        """Return what is remembered and may be trusted now."""
        if not is_trusted():
            return None
        kept = self._kept.get(key)
        if kept is None:
            return None
        try:
            self._kept.move_to_end(key)
        except KeyError:  # forgotten by another thread just now
            return None
        return kept[0]

    def remember(self, key: K, value: V, subjects: frozenset[str], *, asked_at: int) -> None:
        """Keep the value, unless there was news since `asked_at`, which `news()` gave before the database was asked."""
        with _lock:
            if asked_at == _news and is_trusted():
                self._kept[key] = (value, subjects)
                self._kept.move_to_end(key)
                if len(self._kept) > self.size:
                    self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)

    def _forget(self, changed: set[str]) -> None:
        stale = [key for key, (_, subjects) in self._kept.items() if not subjects.isdisjoint(changed)]
        for key in stale:
            del self._kept[key]


def news() -> int:
    """Return how much has changed until now; ask before the query whose answer is to be remembered."""
    return _news


def forget(changed: set[str]) -> None:
    """Forget everything that is about one of the subjects."""
    global _news  # noqa: PLW0603
    with _lock:
        _news += 1
        for memory in Memory.every:
            memory._forget(changed)


def forget_everything() -> None:
    """Begin anew: who knows what has changed while nobody listened."""
    global _news, _trusted_until  # noqa: PLW0603
    with _lock:
        _news += 1
        _trusted_until = 0.0
        for memory in Memory.every:
            memory._kept.clear()


def is_trusted() -> bool:
    """Say whether the database reaches us with its news."""
    return time.monotonic() < _trusted_until


def trust(since: float) -> None:
    """Trust what is remembered: at that moment, of time.monotonic(), the database reached us with all its news."""
    global _trusted_until  # noqa: PLW0603
    _trusted_until = since + TRUST


def begin_again_after_fork() -> None:
    global _lock  # noqa: PLW0603  # the parent may have held it at the fork
    _lock = threading.Lock()
    forget_everything()
