"""Many addresses send wrong secrets as fast as they can, while clients that work ask in earnest: to the real server."""

import http.client
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from itertools import cycle
from urllib.parse import urlsplit

import pytest

from core import cache, notifications
from tests.authority.conftest import FORM, basic
from tests.servers import free_port, running

ADDRESSES = [f"127.0.0.{number}" for number in range(2, 52)]
ATTEMPTS = 400  # of each of the four who attack
PER_SECOND = 200
PATIENCE = 5.0  # seconds; on a machine with nothing else to do the slowest takes a few hundredths


class Caller:
    """A kept connection from an address of its own."""

    def __init__(self, url, address):
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, 120, source_address=(address, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.connection.close()

    def ask(self, authorization):
        headers = {"Content-Type": FORM, "Authorization": authorization}
        self.connection.request("POST", "/oauth2/token", b"grant_type=client_credentials", headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer


def paced(step, pause, ended):
    """Take a step each pause until it has ended, without piling up what was missed."""
    while not ended():
        begun = time.monotonic()
        step()
        time.sleep(max(0.0, begun + pause - time.monotonic()))


@pytest.fixture
def strict(server):
    """Another server on the same database, that soon loses patience; return its address."""
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--workers", "2", "--no-work", "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with running(command, f"{url}/health/ready", server.environ | {"FAILURES_PER_MINUTE": "60"}):
        yield url


def test_wrong_secrets_from_fifty_addresses_disturb_no_client_that_works(server, strict):
    services = [server.service() for _ in range(4)]
    wrong = [basic(service[0], "cdsk_wrong") for service in services] + [basic("cl_nobody", "x")]
    answered, honest, retry, slowest = Counter(), Counter(), set(), []
    attacks: list[threading.Thread] = []
    connections = ExitStack()

    def caller_from(address):
        return connections.enter_context(Caller(strict, address))

    def attack(numbers):
        callers = cycle([(caller_from(ADDRESSES[number]), wrong[number % len(wrong)]) for number in numbers])
        left = iter(range(ATTEMPTS))

        def step():
            caller, authorization = next(callers)
            answer = caller.ask(authorization)
            answered[answer.status] += 1
            if answer.status == 429:
                retry.add(int(answer.headers["Retry-After"]))

        paced(step, 4 / PER_SECOND, lambda: next(left, None) is None)

    def work(service):
        # From where the strangers knock too, and named by them.
        callers = cycle([caller_from(ADDRESSES[0]), caller_from("127.0.0.1")])
        last = time.monotonic()

        def step():
            nonlocal last
            begun = time.monotonic()
            status = next(callers).ask(basic(*service)).status
            now = time.monotonic()
            # A machine that stood still for longer than a process trusts its memory knows nobody for a moment.
            if status != 429 or now - last < cache.MAX_STALENESS - notifications.HEARTBEAT:
                honest[status] += 1
            slowest.append(now - begun)
            last = now

        paced(step, 4 / 20, lambda: not any(each.is_alive() for each in attacks))

    for service in services:
        assert caller_from("127.0.0.1").ask(basic(*service)).status == 200
    attacks += [threading.Thread(target=attack, args=[range(number, len(ADDRESSES), 4)]) for number in range(4)]
    threads = [*attacks, *(threading.Thread(target=work, args=[service]) for service in services)]
    with connections:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(honest) == {200}, "no client that works was ever refused"
    assert honest[200] >= 8
    assert set(answered) == {401, 429}
    assert answered[429] > answered[401] / 4
    assert all(0 < seconds <= 60 for seconds in retry)
    assert sorted(slowest)[int(len(slowest) * 0.95)] < PATIENCE
