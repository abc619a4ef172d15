"""`manage.py serve`: the real server."""

import tomllib

import httpx
from django.conf import settings

from clients.models import Client


def test_server_is_alive_and_ready(server):
    assert httpx.get(f"{server.url}/health/alive").json() == {"status": "ok"}
    assert httpx.get(f"{server.url}/health/ready").json() == {"status": "ok"}


def test_server_names_its_version(server):
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    assert httpx.get(f"{server.url}/version").json() == {"version": project["version"]}


def test_demo_has_put_its_clients_into_the_database_that_is_served(server):
    with server.database():
        assert set(Client.objects.values_list("client_id", flat=True)) == {
            client["client_id"] for client in server.demo["clients"].values()
        }


def test_data_of_the_served_database_stay_out_of_the_test_database(db):
    assert not Client.objects.exists()
