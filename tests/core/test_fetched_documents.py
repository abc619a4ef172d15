"""What other servers publish is kept for a while, and asked for again only now and then."""

import threading
import time

import pytest

from core.http_fetch import documents
from core.http_fetch.documents import document
from tests.publisher import answer, reason


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when the test says so."""

    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(documents, "time", clock)
    return clock


def test_document_is_read_again_when_it_is_old(publisher, clock):
    url = publisher.publish("/", {"n": 1})
    assert document(url) == {"n": 1}
    publisher.publish("/", {"n": 2})
    clock.now += documents.KEEP - 1
    assert document(url) == {"n": 1}
    clock.now += 1
    assert document(url) == {"n": 2}
    assert len(publisher.asked) == 2


def test_what_it_lacks_makes_us_ask_once_a_minute(publisher, clock):
    url = publisher.publish("/", {"n": 1})
    document(url)
    for _ in range(5):
        assert document(url, again=True) == {"n": 1}
    assert len(publisher.asked) == 1
    clock.now += documents.AGAIN
    publisher.publish("/", {"n": 2})
    for _ in range(5):
        assert document(url, again=True) == {"n": 2}
    assert len(publisher.asked) == 2


def test_server_that_fails_is_not_asked_again_at_once(publisher, clock):
    url = publisher.publish("/", answer(b"{}", "503 Busy"))
    for _ in range(5):
        assert reason(document, url) == "status"
    assert len(publisher.asked) == 1
    publisher.publish("/", {"n": 1})
    clock.now += documents.PAUSE
    assert document(url) == {"n": 1}


def test_document_outlives_a_short_outage_and_no_long_one(publisher, clock):
    url = publisher.publish("/", {"n": 1})
    document(url)
    publisher.publish("/", answer(b"{}", "503 Busy"))
    clock.now += documents.AGAIN
    assert reason(document, url, again=True) == "status"
    assert document(url) == {"n": 1}
    clock.now += documents.KEEP
    assert reason(document, url) == "status"


def test_many_threads_ask_once(publisher):
    url = publisher.publish("/", lambda link: (time.sleep(0.2), link.sendall(answer(b'{"n": 1}'))))
    found = []
    threads = [threading.Thread(target=lambda: found.append(document(url))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{"n": 1}] * 20
    assert len(publisher.asked) == 1


def test_memory_is_bounded(publisher, monkeypatch):
    monkeypatch.setattr(documents, "MOST", 3)
    urls = [publisher.publish(f"/{n}", {"n": n}) for n in range(4)]
    for url in [*urls, *urls[1:]]:
        document(url)
    assert len(publisher.asked) == 4, "the last three are remembered"
    document(urls[0])
    assert len(publisher.asked) == 5, "the first is not"
