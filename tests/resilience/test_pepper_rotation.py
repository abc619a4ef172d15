"""A pepper is changed on two machines, as docs/keys.md says, while programs use old and new secrets at both."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from clients.models import Client, ClientSecret
from consumers.actions.personal_tokens import create_token
from consumers.audit import SYSTEM
from consumers.models import PersonalToken, User
from tests import patient
from tests.resilience.conftest import another

NEW = "2:a-pepper-that-has-at-least-32-characters"


@pytest.fixture
def machines(server, tmp_path):
    """Servers as they are before, between and after the two restarts."""
    name = "identity.json"
    identity = json.loads((settings.DATA_DIR / name).read_text())
    old = identity["SECRET_PEPPERS"]
    with ExitStack() as stack:
        running = []
        for peppers in (f"{old},{NEW}", f"{NEW},{old}"):
            folder = tmp_path / peppers[0]
            folder.mkdir()
            (folder / name).write_text(json.dumps(identity | {"SECRET_PEPPERS": peppers}))
            environ = server.environ | {"DATA_DIR": str(folder)}
            running.append(stack.enter_context(another(replace(server, environ=environ), workers=1)))
        yield [server.url, *running]


@pytest.fixture
def management_token(server):
    with server.database():
        alice = User.objects.get(email="alice@acme.example")
        row, text = create_token(
            user=alice,
            name="Rotation",
            scopes=["secrets:rotate"],
            expires_at=timezone.now() + timedelta(hours=1),
            actor=SYSTEM,
        )
    yield text
    with server.database():
        PersonalToken.objects.filter(pk=row.pk).delete()


@pytest.fixture
def service(server):
    client_id, secret = server.service()
    yield client_id, secret
    with server.database():  # the usual server would not start again beside secrets that it cannot verify
        Client.objects.filter(client_id=client_id).delete()


def statuses(machines, client_id, secrets):
    """Use each secret many times at each machine, all at once; return what was answered."""

    def ask(machine, secret):
        form = {"grant_type": "client_credentials", "scope": "shipments:read"}
        return patient.post(f"{machine}/oauth2/token", data=form, auth=(client_id, secret)).status_code

    asked = [(machine, secret) for machine in machines for secret in secrets] * 10
    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(lambda each: ask(*each), asked))


def versions(server, client_id):
    with server.database():
        found = ClientSecret.objects.filter(client__client_id=client_id)
        return set(found.values_list("pepper_version", flat=True))


def test_nothing_is_refused_between_the_restarts(server, machines, service, management_token):
    client_id, first = service
    before, between, after = machines

    def rotate(machine):
        url = f"{machine}/admin/clients/{client_id}/secrets/rotate"
        answer = patient.post(url, headers={"Authorization": f"Bearer {management_token}"})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["client_secret"]

    # The first restart has reached one of two machines.
    second = rotate(between)
    assert statuses([before, between], client_id, [first, second]) == {200}
    # It has reached both, and the second restart one: what this one writes, the other can read.
    third = rotate(after)
    assert statuses([between, after], client_id, [first, second, third]) == {200}
    # In the meantime the new one digests again what was used there.
    until = time.monotonic() + 60
    while versions(server, client_id) != {"2"}:
        assert time.monotonic() < until
        assert statuses([after], client_id, [first, second, third]) == {200}  # the one between digests them as before
        time.sleep(0.1)
    assert statuses([between, after], client_id, [first, second, third]) == {200}
