"""What waits for a person has bounds, because anybody may make it wait in the name of a public client."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from authority.authorization import quotas
from authority.models import DeviceRequest, PushedRequest
from clients.actions import cli_client
from clients.models import Client
from consumers.models import Consumer
from tests.authority.conftest import FORM
from tests.authority.flows import Flow
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(quotas, "MAX_WAITING", 6)
    monkeypatch.setattr(quotas, "PER_NETWORK", 3)


@pytest.fixture
def device(acme, acme_access):
    return ClientFactory(consumer=acme, template="device", scopes=["shipments:read"])


def begin(client, ip="192.0.2.1"):
    return Browser(REMOTE_ADDR=ip).post("/oauth2/device_authorization", f"client_id={client.client_id}", FORM)


def push(flow, ip="192.0.2.1"):
    flow.program.http = Browser(REMOTE_ADDR=ip)
    return flow.program.post("/oauth2/par", flow.request)


def refused(answer):
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert 1 <= int(answer["Retry-After"]) <= 60
    return True


@pytest.mark.compliance("RFC 6585", "4")
def test_devices_of_one_network_and_of_a_client_are_bounded(few, device, acme):
    assert [begin(device).status_code for _ in range(3)] == [200] * 3
    assert refused(begin(device))
    assert [begin(device, f"192.0.2.{host}").status_code for host in (2, 3, 4)] == [200] * 3
    assert refused(begin(device, "192.0.2.5"))
    assert DeviceRequest.objects.count() == 6
    other = ClientFactory(consumer=acme, template="device", scopes=["shipments:read"])
    assert begin(other).status_code == 200
    DeviceRequest.objects.update(expires_at=timezone.now())
    assert begin(device, "192.0.2.6").status_code == 200


def test_pushed_requests_are_bounded_and_make_room(few, spa, browser_of, alice):
    flow = Flow(spa, browser_of(alice))
    assert [push(flow).status_code for _ in range(3)] == [201] * 3
    assert refused(push(flow))
    assert [push(flow, f"192.0.2.{host}").status_code for host in (2, 3, 4)] == [201] * 3
    assert refused(push(flow, "192.0.2.5"))
    PushedRequest.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert push(flow, "192.0.2.6").status_code == 201
    assert PushedRequest.objects.count() == 1  # nobody waits for the worker


def test_a_pushed_request_is_no_longer_than_one_by_post(spa, browser_of, alice):
    answer = push(Flow(spa, browser_of(alice), state="x" * 6000))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "6,000" in answer.json()["error_description"]
    assert not PushedRequest.objects.exists()


def test_no_stranger_makes_the_workspace_of_the_program(client):
    answer = client.post("/oauth2/device_authorization", "client_id=clientdesk-cli", FORM)
    assert answer.status_code == 401
    assert not Consumer.objects.filter(slug=cli_client.SLUG).exists()
    cli_client.ensure_cli_client()
    assert client.post("/oauth2/device_authorization", "client_id=clientdesk-cli", FORM).status_code == 200
    assert Client.objects.get(client_id="clientdesk-cli").consumer.slug == cli_client.SLUG
