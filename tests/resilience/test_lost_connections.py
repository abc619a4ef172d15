"""A network that swallows what goes over the connections that there are, while new ones work."""

import socket
import sys
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests import patient
from tests.servers import free_port, running

BACK = 20  # seconds; a machine with nothing else to do takes four


class Network:
    """Carries connections to PostgreSQL's socket, until they are told to be lost: then in silence, for ever."""

    def __init__(self):
        said = connection.get_connection_params()
        host, port = said.get("host") or "/var/run/postgresql", said.get("port") or 5432
        is_local = host.startswith("/")
        self.family = socket.AF_UNIX if is_local else socket.AF_INET
        self.target = f"{host}/.s.PGSQL.{port}" if is_local else (host, int(port))
        self.lost = set()
        self.links = []
        self.door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.listen, daemon=True).start()

    @property
    def port(self):
        return self.door.getsockname()[1]

    def listen(self):
        with suppress(OSError):
            while True:
                near, _ = self.door.accept()
                far = socket.socket(self.family)
                far.connect(self.target)
                pair = (near, far)
                self.links.append(pair)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self.carry, args=(pair, one, other), daemon=True).start()

    def carry(self, pair, one, other):
        with suppress(OSError):
            while data := one.recv(65536):
                if pair in self.lost:
                    continue  # it is received, and goes nowhere
                other.sendall(data)
        if pair not in self.lost:
            with suppress(OSError):
                other.shutdown(socket.SHUT_WR)

    def lose_all(self):
        self.lost |= set(self.links)

    def close(self):
        self.door.close()
        for pair in self.links:
            for link in pair:
                link.close()


@pytest.fixture
def network():
    carrier = Network()
    yield carrier
    carrier.close()


def test_connections_that_are_lost_are_replaced(server, network):
    port = free_port()
    url, service = f"http://127.0.0.1:{port}", server.service()
    database = urlsplit(server.environ["DATABASE_URL"])
    user = database.netloc.rpartition("@")[0]
    there = database._replace(netloc=f"{user}@127.0.0.1:{network.port}", query="").geturl()
    command = [sys.executable, "manage.py", "serve", "--workers", "1", "--no-work", "--port", str(port)]
    bearer = {"Authorization": f"Bearer {server.demo['manager_token']}"}
    form = {"grant_type": "client_credentials"}

    def token(http):
        return http.post(f"{url}/oauth2/token", data=form, auth=service)

    def clients(http):
        return http.get(f"{url}/admin/clients", headers=bearer)

    with running(command, f"{url}/health/ready", server.environ | {"DATABASE_URL": there}), patient.Client() as http:
        for _ in range(5):
            assert (token(http).status_code, clients(http).status_code) == (200, 200)
            time.sleep(0.5)
        network.lose_all()
        begun = time.monotonic()
        statuses = []
        while statuses[-2:] != [200, 200]:
            assert time.monotonic() - begun < BACK, statuses
            sent = time.monotonic()
            statuses.append(clients(http).status_code)
            assert time.monotonic() - sent < BACK / 2
            assert token(http).status_code in (200, 503)
        assert set(statuses) <= {200, 503}
