"""A process that listens for notifications, as every worker does. Data are committed, so tests are transactional."""

import secrets
import threading
import time

import pytest
from django.db import connection

from core import cache, notifications
from core.cache import NotifiedCache

_marks: NotifiedCache[str, bool] = NotifiedCache(1)


@pytest.fixture
def listening(db, monkeypatch):
    """This process listens for notifications, and its caches stay fresh through a pause of the machine."""
    monkeypatch.setattr(cache, "MAX_STALENESS", 60.0)
    stop = threading.Event()
    thread = threading.Thread(target=notifications.run, args=[stop])
    thread.start()
    eventually(cache.is_fresh)
    yield
    stop.set()
    thread.join()
    cache.invalidate_all()


def eventually(condition, seconds=60.0):
    """Wait until the condition holds; return how many seconds that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it never held"
        time.sleep(0.001)
    return time.monotonic() - begun


def caught_up():
    """Wait until all notifications of what was committed before have arrived."""
    mark = f"mark {secrets.token_hex(8)}"

    def marked():
        _marks.set(mark, True, frozenset([mark]), generation=cache.current_generation())
        return len(_marks) == 1

    eventually(marked)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [notifications.CHANNEL, mark])
    eventually(lambda: len(_marks) == 0)
