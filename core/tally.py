"""Count in memory how often each did something of late, each process for itself: nothing is asked or written."""

import threading
from collections.abc import Hashable
from dataclasses import dataclass
from time import monotonic

KEPT = 4096  # in each tally; whoever comes from more places makes us forget the oldest, never grow


@dataclass(slots=True)
class Spell:
    end: float  # on monotonic()
    times: int = 0


class Tally[K: Hashable]:
    """How often each did it since the first time in `window` seconds: the most recent, and no more than KEPT."""

    def __init__(self, window: float) -> None:
        self.window = window
        self.spells: dict[K, Spell] = {}
        self._lock = threading.Lock()

    def add(self, key: K) -> int:
        """Count one; return how many there were in this spell."""
        with self._lock:
            spell = self.spells.get(key)
            if spell is None or spell.end <= monotonic():
                self.spells.pop(key, None)  # so that the dictionary stays in the order of time
                spell = self.spells[key] = Spell(monotonic() + self.window)
                if len(self.spells) > KEPT:
                    del self.spells[next(iter(self.spells))]
            spell.times += 1
            return spell.times

    def wait(self, key: K, most: int) -> float:
        """Return the seconds until the spell ends in which all are spent; 0 when some are left."""
        spell = self.spells.get(key)
        return max(0.0, spell.end - monotonic()) if spell is not None and spell.times >= most else 0.0
