"""A network to the database on which every packet takes seconds: whoever asks is told to come back, and soon."""

import sys
import time
from urllib.parse import urlsplit

from tests import patient
from tests.network import Network
from tests.servers import free_port, running

SECONDS = 5  # for which packets are late
ANSWERED_WITHIN = (
    2.9  # seconds; two are promised, on a machine that does nothing else, and connecting takes more than 3
)


def test_request_that_connects_to_a_database_far_away_waits_no_longer_than_others(server):
    network = Network()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    database = urlsplit(server.environ["DATABASE_URL"])
    there = database._replace(netloc=f"{database.netloc.rpartition('@')[0]}@127.0.0.1:{network.port}", query="")
    environ = server.environ | {"DATABASE_URL": there.geturl()}
    command = [sys.executable, "manage.py", "serve", "--workers", "1", "--no-work", "--port", str(port)]
    with running(command, f"{url}/health/ready", environ), patient.Client() as http:
        assert http.get(f"{url}/account/login/").status_code == 200
        network.delay = 3.0
        network.lose_all()  # so that all must connect anew
        answers, until = [], time.monotonic() + SECONDS
        while time.monotonic() < until:
            sent = time.monotonic()
            status = http.get(f"{url}/health/ready").status_code
            answers.append((status, time.monotonic() - sent))
        assert max(seconds for _, seconds in answers) < ANSWERED_WITHIN, answers
        assert {status for status, _ in answers} == {503}
        network.delay = 0.0
        while http.get(f"{url}/health/ready").status_code != 200:
            assert time.monotonic() < until + 20
    network.close()
