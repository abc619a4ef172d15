"""A database that neither answers nor refuses: stopped, or with a table that somebody locks for long.

What is in memory goes on: tokens of remembered clients, JWKS, liveness. The rest is told to come back, soon.
"""

import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest

from drills import database
from tests import patient
from tests.authority.conftest import FORM, basic
from tests.resilience.conftest import demo_token
from tests.servers import running

NOTICED = 4  # seconds until whoever asks is refused; a machine with nothing else to do takes two
BACK = 30
GOES_ON = {"token", "JWKS", "alive"}


@pytest.mark.parametrize("fault", [database.frozen, database.locked])
def test_what_needs_no_database_goes_on_and_the_rest_is_told_to_come_back(alone, fault):
    environ, demo, _ = alone
    url = f"http://127.0.0.1:{environ['PORT']}"
    service = demo["clients"]["service"]
    program = {"Content-Type": FORM, "Authorization": basic(service["client_id"], service["client_secret"])}
    asked = {
        "token": ("POST", "/oauth2/token", program, "grant_type=client_credentials"),
        "JWKS": ("GET", "/.well-known/jwks.json", {}, None),
        "alive": ("GET", "/health/alive", {}, None),
        "page": ("GET", "/", {"Cookie": "session=abcdefghijklmnopqrstuvwxyz012345"}, None),
        "management": ("GET", "/admin/clients", {"Authorization": f"Bearer {demo_token(environ)}"}, None),
    }
    seen, stop = defaultdict(list), threading.Event()

    def ask(name, http):
        method, path, headers, body = asked[name]
        sent = time.monotonic()
        answer = http.request(method, url + path, headers=headers, content=body)
        seen[name].append((sent, time.monotonic() - sent, answer.status_code))
        if answer.status_code == 503:
            assert answer.headers["Retry-After"], name
        return answer.status_code

    def keep_asking(name):
        with patient.Client() as http:
            while not stop.wait(0.3):
                ask(name, http)

    command = [sys.executable, "manage.py", "serve", "--workers", "1", "--no-work"]
    with running(command, f"{url}/health/ready", environ), patient.Client() as http:
        well = {"token": 200, "JWKS": 200, "alive": 200, "page": 302, "management": 200}
        for _ in range(3):
            assert {name: ask(name, http) for name in asked} == well
            time.sleep(0.5)  # so that it is remembered
        # Twice as many as there are threads wait for the database.
        names = [*GOES_ON, *["page", "management"] * 4]
        threads = [threading.Thread(target=keep_asking, args=[name]) for name in names]
        for thread in threads:
            thread.start()
        try:
            with fault(Path(environ["DATA_DIR"])):
                begun = time.monotonic()
                time.sleep(8)
                over = time.monotonic()
            while any(seen[name][-1][0] < over or seen[name][-1][2] != well[name] for name in asked):
                assert time.monotonic() < over + BACK, "it did not recover"
                time.sleep(0.1)
        finally:
            stop.set()
            for thread in threads:
                thread.join(timeout=60)
    during = {name: [each for each in seen[name] if begun <= each[0] < over - NOTICED] for name in asked}
    for name in GOES_ON:
        assert {status for _, _, status in during[name]} == {200}, name
    for name in asked.keys() - GOES_ON:
        statuses = [status for _, _, status in during[name]]
        assert set(statuses) <= {503, well[name]}
        assert 503 in statuses, name
        assert max(took for _, took, _ in during[name]) < NOTICED, name
