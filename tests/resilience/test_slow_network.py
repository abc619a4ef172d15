"""A network to the database on which every packet takes seconds: whoever asks is told to come back, and soon."""

import sys
import time

from tests import patient
from tests.servers import free_port, running

SECONDS = 5  # for which packets are late
# Seconds: two are promised, on a machine that does nothing else, and connecting takes more than three.
ANSWERED_WITHIN = 2.9


def test_request_that_connects_to_a_database_far_away_waits_no_longer_than_others(server, network):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = server.environ | {"DATABASE_URL": network.through(server.environ["DATABASE_URL"])}
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
