"""Hundreds of connections that keep the server waiting keep nobody else waiting (`make drills` has the figures)."""

import asyncio
import math
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from drills import hostile_load
from portal.server import http1

SECONDS = 6  # of load
WAIT = 20  # seconds, which no request takes, be the machine as busy as it may


@pytest.fixture
def target(server):
    return hostile_load.Target(server.url, server.demo["operator_token"], server.service())


def test_two_hundred_of_each_kind_keep_nobody_waiting(target):
    took = asyncio.run(hostile_load.under_load(target, SECONDS, hostile_load.kinds(target.token)))
    assert took.keys() == {"token", "JWKS", "liveness", "page"}
    slowest = {name: max(each) for name, each in took.items()}
    assert max(slowest.values()) < WAIT, slowest


def test_a_request_that_comes_too_slowly_is_refused(server):
    kinds = [
        (hostile_load.BODY, b""),
        (hostile_load.BODY, b"a"),
        (hostile_load.CHUNKED, b"1\r\na\r\n"),
        (hostile_load.HEAD, b"X"),
    ]
    parts = urlsplit(server.url)

    def send_slowly(kind):
        head, drop = kind
        begun = time.monotonic()
        with closing(socket.create_connection((parts.hostname, parts.port), timeout=0.5)) as link:
            link.sendall(head)
            came = b""
            while not came and time.monotonic() < begun + http1.GRACE + WAIT:
                link.sendall(drop)
                try:
                    came = link.recv(65536)
                except TimeoutError:
                    continue
        return time.monotonic() - begun, came

    with ThreadPoolExecutor(len(kinds)) as pool:
        for took, came in pool.map(send_slowly, kinds):
            assert took >= http1.GRACE
            assert came.startswith(b"HTTP/1.1 408 ")


def test_a_reader_that_is_too_slow_is_hung_up_on(server):
    parts = urlsplit(server.url)
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.settimeout(1)
        link.connect((parts.hostname, parts.port))
        # Far more than a socket holds: the files wait to be read, one after another.
        page = f"GET /static/js/htmx.min.js HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        deadline = time.monotonic() + http1.GRACE * 3 + WAIT
        hung_up = False
        while not hung_up and time.monotonic() < deadline:
            try:
                link.sendall(page * 50)
            except TimeoutError:
                pass
            except OSError:
                hung_up = True
    assert hung_up


def test_the_figures_of_a_drill_count_what_failed_as_endless():
    assert hostile_load.percentile([0.1, math.inf], 0.99) == math.inf
