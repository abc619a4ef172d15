"""The access log: a line for each answer, of the event loop, of a thread or of the parser, and nothing secret in it."""

import json
import logging
import os
import socket
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

import pytest

from portal.access_log import MOST_WAITING, AccessLog
from portal.server.http1 import MAX_BODY
from tests import patient
from tests.servers import free_port, running

TOKEN = "Xk3" * 12
PLAIN_FIELDS = ("time", "ip", "method", "path", "status", "bytes", "seconds", "request_id", "client_id")


@pytest.fixture(scope="module")
def logged(server, tmp_path_factory):
    """A server that logs as JSON; a function that waits for so many more lines, and returns them."""
    port, path = free_port(), tmp_path_factory.mktemp("log") / "access"
    url = f"http://127.0.0.1:{port}"
    environ = server.environ | {"ACCESS_LOG": "json"}
    command = [sys.executable, "manage.py", "serve", "--workers", "1", "--no-work", "--port", str(port)]
    with (
        path.open("wb") as file,
        redirected(file),
        running(command, f"{url}/health/alive", environ),
        path.open() as reader,
    ):

        def lines(number):
            found, until = [], time.monotonic() + 60
            while len(found) < number and time.monotonic() < until:
                found += [
                    json.loads(line) for line in reader if line.startswith("{")
                ]  # after what the demo says; each whole
                time.sleep(0.05)
            return found

        lines(1)  # of whoever waited for the server
        yield url, lines


@contextmanager
def redirected(file):
    """Let programs that are started meanwhile write their standard output to the file."""
    usual = os.dup(1)
    os.dup2(file.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(usual, 1)
        os.close(usual)


def test_each_answer_is_a_line_whoever_gives_it(server, logged):
    url, lines = logged
    client_id, secret = server.service()
    form = {"grant_type": "client_credentials", "scope": "shipments:read"}
    answers = [
        patient.post(f"{url}/oauth2/token", data=form, auth=(client_id, secret)),  # by a thread
        patient.post(f"{url}/oauth2/token", data=form, auth=(client_id, secret)),  # from memory
        patient.post(f"{url}/oauth2/token", data=form, auth=(client_id, "wrong")),  # by Django
        patient.get(f"{url}/health/alive"),
        patient.get(f"{url}/account/login/"),
        patient.get(f"{url}/static/css/portal.css"),
        patient.get(f"{url}/nowhere"),
        patient.post(f"{url}/oauth2/token", content=b"a" * (MAX_BODY + 1)),
    ]
    found = lines(len(answers))
    assert [line["status"] for line in found] == [answer.status_code for answer in answers]
    assert [line["path"] for line in found] == [answer.url.path for answer in answers]
    assert [line["request_id"] for line in found] == [answer.headers["X-Request-Id"] for answer in answers]
    assert [line["client_id"] for line in found] == [client_id] * 3 + [None] * 5
    for line, answer in zip(found, answers, strict=True):
        assert line["method"] == answer.request.method
        assert line["ip"] == "127.0.0.1"
        assert 0 < line["seconds"] < 60
        assert line["bytes"] > int(answer.headers.get("Content-Length", 0))
        assert datetime.fromisoformat(line["time"]).tzinfo


def test_no_line_holds_a_query_or_a_secret_of_a_path(logged):
    url, lines = logged
    patient.get(f"{url}/oauth2/authorize", params={"state": TOKEN})
    patient.get(f"{url}/invitations/{TOKEN}/")
    patient.get(f"{url}/admin/clients/cdsk_{TOKEN}")
    patient.get(f"{url}/a%0Ab%1b[31m/{'c' * 5000}")
    found = lines(4)
    assert TOKEN not in json.dumps(found)
    assert [line["path"][:25] for line in found[:3]] == [
        "/oauth2/authorize",
        "/invitations/…/",
        "/admin/clients/cdsk_…",
    ]
    assert found[3]["path"].startswith("/a\\nb\\x1b[31m/ccc")
    assert len(found[3]["path"]) < 220


def test_what_is_no_request_is_a_line_too(logged):
    url, lines = logged
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as link:
        link.sendall(b"nonsense\r\n\r\n")
        while link.recv(1000):
            pass
    [line] = lines(1)
    assert (line["status"], line["method"], line["path"], line["seconds"]) == (400, None, None, None)


def test_a_plain_line_has_the_same_fields_in_order():
    read, write = os.pipe()
    log = AccessLog("plain", write)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a b/\xc3\xa9", "REMOTE_ADDR": "192.0.2.7"}
    log.start()
    log.note(environ, b"200 OK\r\nX-Request-Id: req_1\r\n", 321, 0.01234)
    log.stop()
    os.close(write)
    with os.fdopen(read) as lines:
        [line] = lines
    values = dict(zip(PLAIN_FIELDS, line.split(" "), strict=True))
    del values["time"]
    assert values == {
        "ip": "192.0.2.7",
        "method": "GET",
        "path": "/a%20b/%C3%A9",
        "status": "200",
        "bytes": "321",
        "seconds": "0.0123",
        "request_id": "req_1",
        "client_id": "-\n",
    }


def test_a_reader_that_is_too_slow_costs_lines_and_no_memory(caplog):
    read, write = os.pipe()
    log = AccessLog("plain", write)
    for _ in range(MOST_WAITING + 5):
        log.note({}, b"200 OK", 1, None)
    assert len(log.waiting) == MOST_WAITING
    with caplog.at_level(logging.WARNING), os.fdopen(read) as reader:
        log.start()
        for _ in range(MOST_WAITING):
            assert reader.readline()
        log.stop()
    os.close(write)
    assert "5 requests are missing from the access log" in caplog.text
