"""An export is whole, or whoever reads it sees that it is not."""

import http.client
import socket
import threading
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from clientdesk.api_client import ApiClient
from clientdesk.errors import CommandError
from consumers.models import Consumer, Event
from tests import patient

EVENTS = 30_000
KINDS = pytest.mark.parametrize("kind", ["jsonl", "csv"])


@pytest.fixture(scope="module")
def many(server):
    with server.database():
        acme, at = Consumer.objects.get(slug="acme"), timezone.now()
        events = (Event(name="client.updated", actor_label="Somebody", consumer=acme, at=at) for _ in range(EVENTS))
        Event.objects.bulk_create(events, batch_size=5000)


def address(server, kind):
    return f"{server.url}/admin/activity/export?format={kind}"


def headers(server):
    return {"Authorization": f"Bearer {server.demo['operator_token']}"}


@contextmanager
def unreadable(server):
    """Let nobody read the events any more, from the moment that somebody does."""
    with server.database(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE consumers_event RENAME TO consumers_event_away")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE consumers_event_away RENAME TO consumers_event")


@KINDS
@pytest.mark.parametrize("is_http_1_0", [False, True])
def test_an_export_that_fails_in_its_middle_is_an_error_for_whoever_reads_it(server, many, kind, is_http_1_0):
    parts = urlsplit(server.url)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    if is_http_1_0:  # as nginx asks
        link._http_vsn, link._http_vsn_str = 10, "HTTP/1.0"
    with closing(link):
        link.connect()
        link.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.request("GET", address(server, kind).removeprefix(server.url), headers=headers(server))
        answer = link.getresponse()
        assert answer.status == 200
        answer.read(1000)
        with unreadable(server), pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            answer.read()


@KINDS
def test_an_export_is_whole(server, many, kind):
    answer = patient.get(address(server, kind), headers=headers(server))
    assert answer.status_code == 200
    assert len(answer.text.splitlines()) >= EVENTS


@pytest.fixture
def breaking(server):
    """The address of a proxy that breaks each connection in the middle of what is answered."""
    target = server.url.removeprefix("http://").split(":")
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    near, _ = listening.accept()
                except OSError:
                    return
                with near, socket.create_connection((target[0], int(target[1]))) as far:
                    far.sendall(near.recv(65536))
                    passed = 0
                    while passed < 300_000 and (read := far.recv(65536)):
                        near.sendall(read)
                        passed += len(read)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@KINDS
def test_an_export_whose_connection_breaks_is_an_error_for_whoever_reads_it(server, many, breaking, kind):
    with pytest.raises(httpx.RemoteProtocolError):
        patient.get(address(server, kind).replace(server.url, breaking), headers=headers(server))
    api = ApiClient(breaking, server.demo["operator_token"])
    with api, pytest.raises(CommandError), api.stream("/admin/activity/export", {"format": kind}) as chunks:
        list(chunks)
