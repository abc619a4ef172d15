"""Places to wait for providers: one for each in a process, so that a slow one holds up its own people alone."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from core.http_fetch.transport import Places

TOGETHER = 3  # of a process's four threads
MOST = 1000  # issuers whose place is kept
_all = Places(TOGETHER)
_lines: OrderedDict[str, Places] = OrderedDict()
_guard = threading.Lock()


@contextmanager
def place(issuer: str) -> Iterator[None]:
    """Wait for the provider meanwhile. Raises FetchError ("busy") where another thread does for more than a second."""
    with _guard:
        line = _lines.setdefault(issuer, Places(1))
        _lines.move_to_end(issuer)
        if len(_lines) > MOST:
            _lines.popitem(last=False)
    with line.one(), _all.one():
        yield
