"""Clients as the token path sees them, over a connection that is kept."""

import pytest
from django.db import connection, connections

from authority import client_directory
from tests.authority.conftest import Program
from tests.factories import give_secret


@pytest.mark.django_db(transaction=True)
def test_a_persistent_connection_has_no_health_check_query(service, monkeypatch):
    _, secret = give_secret(service)
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", True)
    connection.ensure_connection()
    connection.health_check_enabled, connection.health_check_done = True, False
    asked = []
    monkeypatch.setattr(connections["default"], "is_usable", lambda: asked.append(True) or True)

    answer = Program(service, secret).token()

    assert answer.status_code == 200
    assert asked == []


@pytest.mark.django_db(transaction=True)
def test_a_dead_connection_is_replaced_within_the_request(service):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        mine = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [mine])
    other.close()

    assert client_directory.find(service.client_id).client.client_id == service.client_id
