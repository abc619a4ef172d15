"""Servers that answer slowly, or on purpose never: they hold up few of our threads, and nobody who needs them not."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.http_fetch import documents, transport
from core.http_fetch.target import FetchError

pytestmark = pytest.mark.usefixtures("few_places")


@pytest.fixture
def few_places(monkeypatch):
    monkeypatch.setattr(transport, "_places", transport.Places())


@pytest.fixture
def door():
    """Open it, and servers that wait for it answer."""
    door = threading.Event()
    yield door
    door.set()


def behind(door, answer=b'{"a": 1}'):
    def page(link):
        door.wait(20)
        link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))

    return page


def told(url, **how):
    """Return the document or the reason why there is none, and how long that took."""
    begin = time.monotonic()
    try:
        found = documents.document(url, **how)
    except FetchError as error:
        found = error.reason
    return found, time.monotonic() - begin


def until(happened):
    end = time.monotonic() + 10
    while not happened() and time.monotonic() < end:
        time.sleep(0.01)
    assert happened()


def test_few_threads_wait_for_other_servers_at_once(publisher, door):
    urls = [publisher.publish(f"/slow{number}", behind(door)) for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(told, url) for url in urls]
        until(lambda: sum(each.done() for each in answers) == 8 - transport.PLACES)
        assert {each.result()[0] for each in answers if each.done()} == {"busy"}
        assert len(publisher.asked) == transport.PLACES
        found, seconds = told(publisher.publish("/another", {}))  # by now nobody waits any more
        assert (found, seconds < 0.9) == ("busy", True)
        door.set()
        assert [each.result()[0] for each in answers].count({"a": 1}) == transport.PLACES
    assert told(urls[-1])[0] == {"a": 1}  # being busy then says nothing about a server


def test_whoever_asks_for_the_same_waits_a_moment_and_gets_it(publisher, door, monkeypatch):
    monkeypatch.setattr(transport, "PATIENCE", 20)  # for the machine may be busy
    url = publisher.publish("/same", behind(door))
    with ThreadPoolExecutor(6) as threads:
        answers = [threads.submit(told, url) for _ in range(6)]
        until(lambda: publisher.asked)
        door.set()
        assert [each.result()[0] for each in answers] == [{"a": 1}] * 6
    assert publisher.asked == ["/same"]


def test_nobody_waits_long_for_what_another_asks_already(publisher, door):
    url = publisher.publish("/same", behind(door))
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(told, url)
        until(lambda: publisher.asked)
        assert {threads.submit(told, url).result()[0] for _ in range(3)} == {"busy"}
        door.set()
        assert first.result()[0] == {"a": 1}


def test_what_is_known_is_told_while_it_is_read_anew(publisher, door, monkeypatch):
    """An unknown key name makes us read a set anew; whoever needs a key that is known does not wait for that."""
    url = publisher.publish("/keys", {"a": 0})
    assert told(url)[0] == {"a": 0}
    monkeypatch.setattr(documents, "AGAIN", 0)
    publisher.publish("/keys", behind(door))
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(told, url, again=True)
        until(lambda: len(publisher.asked) == 2)
        found, seconds = told(url)
        assert (found, seconds < 0.9) == ({"a": 0}, True)
        door.set()
        assert reading.result()[0] == {"a": 1}
