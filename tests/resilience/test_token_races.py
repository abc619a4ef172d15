"""Twenty requests at once, over real connections: each code and refresh token pays once, and nothing is left behind."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client as Browser

from authority.models import TokenFamily
from tests.authority.conftest import Program
from tests.authority.endpoints.test_rfc8628_device_grant import Device
from tests.authority.flows import Flow
from tests.factories import (
    AccessFactory,
    ApiFactory,
    ClientFactory,
    ConsumerFactory,
    MembershipFactory,
    ScopeFactory,
    UserFactory,
    give_secret,
)

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 20


def at_once(deeds):
    """Carry out the deeds in a thread each, all let loose at the same moment; return their answers."""
    barrier = Barrier(len(deeds))

    def run(deed):
        try:
            barrier.wait(120)
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


@pytest.fixture
def flow():
    consumer = ConsumerFactory()
    scope = ScopeFactory(api=ApiFactory())
    AccessFactory(consumer=consumer, scope=scope)
    person = UserFactory()
    MembershipFactory(consumer=consumer, user=person)
    client = ClientFactory(consumer=consumer, template="web", scopes=["openid", "shipments:read"])
    browser = Browser()
    browser.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return Flow(Program(client, give_secret(client)[1]), browser)


def live_families():
    return list(TokenFamily.objects.alive())


@pytest.mark.compliance("RFC 6749", "4.1.2")
def test_one_code_pays_once_and_its_replays_end_the_family(flow):
    for _ in range(3):
        code = flow.code()
        answers = at_once([lambda code=code: flow.exchange(code)] * THREADS)
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * (THREADS - 1)
        assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}
        assert TokenFamily.objects.count() == 1
        assert live_families() == []  # the second request was a replay
        TokenFamily.objects.all().delete()


@pytest.mark.compliance("RFC 9700", "4.14.2")
def test_one_refresh_token_never_leaves_two_live_ones(flow):
    for _ in range(8):
        refresh_token = flow.tokens()["refresh_token"]
        answers = at_once([lambda token=refresh_token: flow.refresh(token)] * THREADS)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] + [400] * (THREADS - 1)
        assert live_families() == []  # reuse was seen, so the whole family ended


@pytest.mark.compliance("RFC 9700", "4.14.2")
def test_replay_of_a_parent_while_its_child_rotates_leaves_nothing_alive(flow):
    for _ in range(8):
        parent = flow.tokens()["refresh_token"]
        child = flow.refresh(parent).json()["refresh_token"]
        answers = at_once([lambda t=child: flow.refresh(t)] * 4 + [lambda t=parent: flow.refresh(t)] * 4)
        assert all(answer.status_code in (200, 400) for answer in answers)
        assert live_families() == []


@pytest.mark.compliance("RFC 7009", "2.1")
def test_revoking_while_refreshing_leaves_nothing_alive(flow):
    for _ in range(8):
        refresh_token = flow.tokens()["refresh_token"]
        answers = at_once(
            [
                lambda t=refresh_token: flow.refresh(t),
                lambda t=refresh_token: flow.program.revoke(t),
                lambda t=refresh_token: flow.program.revoke(t),
            ]
        )
        assert all(answer.status_code in (200, 400) for answer in answers)
        assert live_families() == []


def test_revoking_one_stateless_token_in_parallel_is_no_error(flow):
    client = ClientFactory(consumer=flow.program.client.consumer)
    program = Program(client, give_secret(client)[1])
    token = program.token().json()["access_token"]
    assert {answer.status_code for answer in at_once([lambda: program.revoke(token)] * THREADS)} == {200}


def test_one_device_code_pays_once(flow):
    consumer = flow.program.client.consumer
    client = ClientFactory(consumer=consumer, template="device", scopes=["shipments:read"])
    device = Device(Program(client), flow.browser)
    for _ in range(3):
        device.begin(scope="shipments:read")
        device.decide()
        answers = at_once([device.poll] * THREADS)
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * (THREADS - 1)
        assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}
        assert TokenFamily.objects.count() == 1
        assert live_families() == []
        TokenFamily.objects.all().delete()
