"""GET /metrics: for whoever holds the token, of all processes together."""

import re
import time

import pytest

from tests import patient
from tests.authority.conftest import Program
from tests.factories import give_secret

TOKEN = "a-token-for-prometheus-alone"


@pytest.mark.django_db
def test_without_the_setting_there_is_no_such_page(client):
    assert client.get("/metrics").status_code == 404


@pytest.mark.django_db
def test_only_the_token_opens_the_page(client, settings):
    settings.METRICS_TOKEN = TOKEN
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Bearer é"}):
        refused = client.get("/metrics", headers=header)
        assert refused.status_code == 401
        assert refused.content == b""
        assert refused["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.django_db
def test_issued_and_refused_tokens_are_counted(client, settings, service):
    settings.METRICS_TOKEN = TOKEN

    def counted(outcome):
        text = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
        found = re.search(rf'clientdesk_answers_total{{endpoint="token",outcome="{outcome}"}} (\S+)', text)
        return float(found[1]) if found else 0

    program = Program(service, give_secret(service)[1])
    before = counted("ok"), counted("invalid_scope"), counted("invalid_client")
    program.token()
    program.token(scope="unknown")
    Program(service, "wrong").token()
    assert (counted("ok"), counted("invalid_scope"), counted("invalid_client")) == tuple(each + 1 for each in before)


def test_a_served_portal_adds_up_what_its_processes_count(server):
    service = server.service()
    headers = {"Authorization": f"Bearer {server.environ['METRICS_TOKEN']}"}

    def counted():
        text = patient.get(f"{server.url}/metrics", headers=headers).text
        seconds = re.search(r'clientdesk_request_seconds_count{endpoint="token"} (\S+)', text)
        remembered = re.search(r'clientdesk_directory_lookups_total{found_in="memory"} (\S+)', text)
        return [float(found[1]) if found else 0.0 for found in (seconds, remembered)]

    before, asked = counted(), 0
    # A busy process trusts its memory again only when the database has answered it.
    while asked < 5 or (counted()[1] == before[1] and asked < 500):
        server.token(service=service)
        asked += 1
        time.sleep(0.05)
    after = counted()
    assert after[0] == before[0] + asked
    assert after[1] > before[1]
