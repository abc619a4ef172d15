"""An export is whole, or whoever reads it sees that it is not."""

import socket
import threading
import time

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


def end_reading(server, seconds=60):
    """End the connections that read an export, as a database does that is shut down, as soon as there is one."""
    with server.database(), connection.cursor() as cursor:
        for _ in range(seconds * 20):
            cursor.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND query LIKE 'FETCH%%'"
            )
            if cursor.fetchall():
                return
            time.sleep(0.05)


@KINDS
def test_an_export_that_the_database_ends_is_an_error_and_no_shorter_file(server, many, kind):
    answers = []
    reader = threading.Thread(
        target=lambda: answers.append(patient.get(address(server, kind), headers=headers(server)))
    )
    reader.start()
    end_reading(server)
    reader.join(60)
    (answer,) = answers
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")


@KINDS
def test_a_whole_export_says_how_long_it_is(server, many, kind):
    answer = patient.get(address(server, kind), headers=headers(server))
    assert answer.status_code == 200
    assert int(answer.headers["Content-Length"]) == len(answer.content)
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
