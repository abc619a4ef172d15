"""What is switched off is off within 100 ms in every process of every machine, though each remembers its clients."""

import base64
import json
import statistics
import time
from contextlib import ExitStack
from functools import partial

import pytest
from django.utils import timezone

from authority.keys import rotation
from authority.models import SigningKey
from clients.actions import secrets as secret_actions
from clients.models import Api, Client, ClientSecret
from consumers.audit import SYSTEM
from consumers.models import Consumer
from core import cache
from tests import patient

WITHIN = 0.1  # seconds
ROUNDS = 3  # of each change, so that a pause of the machine itself does not decide
CONNECTIONS = 6  # a process, so that its workers all have some


@pytest.fixture(scope="module")
def machines(server, second):
    """Connections that reach all workers of both servers."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(patient.Client(base_url=base))
            for base in (server.url, second)
            for _ in range(CONNECTIONS)
        ]


def ask(machine, service):
    return machine.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=service)


def seconds_until(machines, service, change, holds):
    """Make the change while everybody remembers the client; return how long after it a request was served as before.

    What counts is when that request was sent: how long a busy machine takes to answer it says nothing of memory.
    """
    for _ in range(2):
        for machine in machines:
            assert ask(machine, service).status_code == 200
    change()
    changed = time.monotonic()
    latest = 0.0
    for machine in machines:
        sent = time.monotonic()
        while not holds(ask(machine, service)):
            latest = max(latest, sent - changed)
            assert latest < cache.MAX_STALENESS, "trusted although nothing was heard"
            sent = time.monotonic()
    return latest


def refused(answer):
    return answer.status_code == 401


def header(answer):
    part = answer.json()["access_token"].split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def switched_off(server):
    """Yield pairs of a service client and what takes its tokens away."""
    for field in ("disabled_at", "expires_at"):
        service = server.service()
        clients = Client.objects.filter(client_id=service[0])
        yield service, partial(clients.update, **{field: timezone.now()})
    service = server.service()
    secret = ClientSecret.objects.get(client__client_id=service[0])
    yield (
        service,
        partial(secret_actions.rotate_secret, secret=secret, end=secret_actions.End(at=timezone.now()), actor=SYSTEM),
    )
    yield server.service(), partial(Consumer.objects.filter(slug="acme").update, suspended_at=timezone.now())


def test_switched_off_is_off_everywhere(server, machines):
    with server.database():
        taken = []
        for _ in range(ROUNDS):
            try:
                taken += [seconds_until(machines, *each, refused) for each in switched_off(server)]
            finally:
                Consumer.objects.update(suspended_at=None)
    assert statistics.median(taken) < WITHIN, taken


def test_keys_and_algorithms_change_everywhere(server, machines):
    with server.database():
        service = server.service()
        apis = Api.objects.filter(scopes__value="shipments:read")
        old = header(ask(machines[0], service))["kid"]
        revoke = partial(rotation.revoke, SigningKey.objects.get(kid=old), actor=SYSTEM)
        sign_otherwise = partial(apis.update, signing_algorithm="EdDSA")
        try:
            seconds_until(machines, service, revoke, lambda answer: header(answer)["kid"] != old)
            seconds_until(machines, service, sign_otherwise, lambda answer: header(answer)["alg"] == "EdDSA")
        finally:
            apis.update(signing_algorithm="ES256")
