"""A process that listens, as every worker of a server does. Its data are committed, so tests are transactional."""

import secrets
import threading
import time

import pytest
from django.db import connection

from core import cache, notifications
from core.cache import Memory

_marks: Memory[str, bool] = Memory(1)


@pytest.fixture
def listening(db, monkeypatch):
    """This process listens, as every worker of a server does, and a pause of the machine ends no trust."""
    monkeypatch.setattr(cache, "TRUST", 60.0)
    stop = threading.Event()
    thread = threading.Thread(target=notifications.run, args=[stop])
    thread.start()
    eventually(lambda: time.monotonic() < cache._trusted_until)
    yield
    stop.set()
    thread.join()
    cache.forget_everything()


def eventually(condition, seconds=60.0):
    """Wait until it holds; return how many seconds that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it never held"
        time.sleep(0.001)
    return time.monotonic() - begun


def caught_up():
    """Wait until all news of what was committed before has arrived, so that none of it surprises what comes next."""
    mark = f"mark {secrets.token_hex(8)}"

    def marked():
        _marks.remember(mark, True, frozenset([mark]), asked_at=cache.news())
        return len(_marks) == 1

    eventually(marked)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [notifications.CHANNEL, mark])
    eventually(lambda: len(_marks) == 0)
