"""A process that listens, as every worker of a server does. Its data are committed, so tests are transactional."""

import threading
import time

import pytest

from authority import listener, memory


@pytest.fixture
def listening(db):
    """This process listens, as every worker of a server does."""
    stop = threading.Event()
    thread = threading.Thread(target=listener.run, args=[stop])
    thread.start()
    eventually(lambda: time.monotonic() < memory._trusted_until)
    yield
    stop.set()
    thread.join()
    memory.forget_everything()


def eventually(condition, seconds=5.0):
    """Wait until it holds; return how many seconds that took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it never held"
        time.sleep(0.001)
    return time.monotonic() - begun
