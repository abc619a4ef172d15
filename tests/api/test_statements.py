"""The SQL of the management API's busiest operations: every statement has a reason, none repeats for each of many."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.clients.views.test_create_page_sql import brief
from tests.factories import ClientFactory

pytestmark = pytest.mark.django_db

CALLER = [
    "SELECT consumers_personaltoken",  # who calls
]


def statements(send) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        answer = send()
    assert answer.status_code < 300, answer.text
    return [brief(query["sql"]) for query in captured]


@pytest.fixture
def program(alice, program_of):
    program = program_of(alice)
    program.get("/admin/clients")  # notes the token's use, once a minute
    return program


def test_statements_of_a_list(acme, program):
    ClientFactory.create_batch(3, consumer=acme)
    expected = [
        *CALLER,
        "SELECT clients_client",  # within reach, one more than the page holds
        "SELECT clients_clientsecret",  # when they end, of all at once
    ]
    assert statements(lambda: program.get("/admin/clients?page_size=2")) == expected
    ClientFactory.create_batch(30, consumer=acme)
    assert statements(lambda: program.get("/admin/clients?page_size=30")) == expected


def test_statements_of_a_patch(service, program):
    patch = [{"op": "add", "path": "/owner", "value": "us"}]
    assert statements(lambda: program.patch(f"/admin/clients/{service.client_id}", patch)) == [
        *CALLER,
        "SELECT clients_client",  # within reach
        "SELECT consumers_consumer",  # may they change it
        "SAVEPOINT",
        "SELECT clients_client FOR UPDATE",  # one change after the other
        "SELECT clients_scope",  # what the policy allows
        "UPDATE clients_client",
        "INSERT consumers_event",  # in the same transaction
        "RELEASE",
        "SELECT clients_clientsecret",  # when they expire
    ]


def test_statements_of_a_registration(acme, acme_access, program):
    new = {"client_name": "New", "grant_types": ["client_credentials"], "scope": "shipments:read"}
    assert statements(lambda: program.post("/admin/clients", new)) == [
        *CALLER,
        "SELECT consumers_consumer",  # the only one in reach
        "SAVEPOINT",
        "SELECT consumers_consumer",  # is it active now
        "SELECT clients_scope",  # what the policy allows
        "SELECT consumers_membership",  # a manager, or an operator who handles secrets
        "SELECT clients_client",  # are there as many as there may be
        "INSERT clients_client",
        "INSERT consumers_event",  # in the transaction of the deed
        "SELECT consumers_event",  # was the like of it mailed in the hour before
        "SELECT consumers_user",  # whom it is mailed to
        "SELECT clients_clientsecret",  # how many there are
        "INSERT clients_clientsecret",
        "RELEASE",
        "SELECT clients_clientsecret",  # when they end
    ]
