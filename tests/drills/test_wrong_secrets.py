"""Many addresses send wrong secrets as fast as they can, while clients that work ask in earnest: to the real server."""

import http.client
import threading
import time
from collections import Counter
from itertools import cycle
from urllib.parse import urlsplit

from tests.authority.conftest import FORM, basic

ADDRESSES = [f"127.0.0.{number}" for number in range(2, 52)]
SECONDS = 8
PER_SECOND = 200
PATIENCE = 2.0  # seconds; on a machine with nothing else to do the slowest takes a few hundredths


class Caller:
    """A kept connection from an address of its own."""

    def __init__(self, server, address):
        parts = urlsplit(server.url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, 30, source_address=(address, 0))

    def ask(self, authorization):
        headers = {"Content-Type": FORM, "Authorization": authorization}
        self.connection.request("POST", "/oauth2/token", b"grant_type=client_credentials", headers)
        answer = self.connection.getresponse()
        answer.read()
        return answer


def run_until(end, pause, step):
    """Take a step each pause until the end, without piling up what was missed."""
    while (begun := time.monotonic()) < end:
        step()
        time.sleep(max(0.0, begun + pause - time.monotonic()))


def test_wrong_secrets_from_fifty_addresses_disturb_no_client_that_works(server):
    services = [server.service() for _ in range(4)]
    wrong = [basic(service[0], "cdsk_wrong") for service in services] + [basic("cl_nobody", "x")]
    answered, honest, retry, slowest = Counter(), Counter(), set(), []
    end = time.monotonic() + SECONDS

    def attack(numbers):
        callers = cycle([(Caller(server, ADDRESSES[number]), wrong[number % len(wrong)]) for number in numbers])

        def step():
            caller, authorization = next(callers)
            answer = caller.ask(authorization)
            answered[answer.status] += 1
            if answer.status == 429:
                retry.add(int(answer.headers["Retry-After"]))

        run_until(end, 4 / PER_SECOND, step)

    def work(service):
        # From where the strangers knock too, and named by them.
        callers = cycle([Caller(server, ADDRESSES[0]), Caller(server, "127.0.0.1")])

        def step():
            begun = time.monotonic()
            honest[next(callers).ask(basic(*service)).status] += 1
            slowest.append(time.monotonic() - begun)

        run_until(end, 4 / 20, step)

    for service in services:
        assert Caller(server, "127.0.0.1").ask(basic(*service)).status == 200
    threads = [threading.Thread(target=attack, args=[range(number, len(ADDRESSES), 4)]) for number in range(4)]
    threads += [threading.Thread(target=work, args=[service]) for service in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(honest) == {200}, "no client that works was ever refused"
    assert honest[200] >= SECONDS
    assert set(answered) == {401, 429}
    assert answered[429] > answered[401] / 4
    assert all(0 < seconds <= 60 for seconds in retry)
    assert sorted(slowest)[int(len(slowest) * 0.95)] < PATIENCE
