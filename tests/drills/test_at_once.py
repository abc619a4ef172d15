"""What is switched off is off within 100 ms in every process of every machine, though each remembers its clients."""

import statistics
import sys
import time
from contextlib import ExitStack

import httpx
import pytest
from django.utils import timezone

from authority.models import SigningKey
from clients import actions
from clients.models import Api, Client, ClientSecret
from consumers.models import Consumer
from tests.live import free_port, running

WITHIN = 0.1  # seconds
CONNECTIONS = 6  # a process, so that its workers all have some


@pytest.fixture(scope="module")
def machines(server):
    """Another server with two workers beside the usual one, on its database; connections that reach them all."""
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--workers", "2", "--no-work", "--port", str(port)]
    other = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        stack.enter_context(running(command, f"{other}/health/ready", server.environ))
        yield [
            stack.enter_context(httpx.Client(base_url=base, timeout=10))
            for base in (server.url, other)
            for _ in range(CONNECTIONS)
        ]


def ask(machine, service):
    return machine.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=service)


def seconds_until(machines, service, change, holds):
    """Make the change while everybody remembers the client; return how long until it holds everywhere."""
    for _ in range(2):
        for machine in machines:
            assert ask(machine, service).status_code == 200
    change()
    changed = time.monotonic()
    latest = 0.0
    for machine in machines:
        while not holds(ask(machine, service)):
            latest = time.monotonic() - changed
            assert latest < 5, "it never held"
    return latest


def refused(answer):
    return answer.status_code == 401


def kid(answer):
    return answer.json()["access_token"].split(".")[0]


def test_switched_off_is_off_everywhere(server, machines):
    taken = []
    with server.database():
        for field in ("disabled_at", "expires_at"):
            service = server.service()
            change = Client.objects.filter(client_id=service[0]).update
            taken.append(seconds_until(machines, service, lambda: change(**{field: timezone.now()}), refused))
        service = server.service()
        secrets = ClientSecret.objects.filter(client__client_id=service[0])
        taken.append(seconds_until(machines, service, lambda: secrets.update(revoked_at=timezone.now()), refused))
        service = server.service()
        acme = Consumer.objects.filter(slug="acme")
        try:
            taken.append(seconds_until(machines, service, lambda: acme.update(suspended_at=timezone.now()), refused))
        finally:
            acme.update(suspended_at=None)
    assert statistics.median(taken) < WITHIN, taken
    assert max(taken) < 1, taken
