"""A network that swallows what goes over the connections that there are, while new ones work."""

import sys
import time

from tests import patient
from tests.servers import free_port, running

BACK = 20  # seconds; a machine with nothing else to do takes four


def test_connections_that_are_lost_are_replaced(server, network):
    port = free_port()
    url, service = f"http://127.0.0.1:{port}", server.service()
    there = network.through(server.environ["DATABASE_URL"])
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
