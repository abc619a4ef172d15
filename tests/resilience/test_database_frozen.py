"""A database that neither answers nor refuses: stopped, or with a table that somebody locks for long.

What is in memory goes on: tokens of remembered clients, JWKS, liveness. The rest is told to come back, soon.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import contextmanager

import psutil
import psycopg
import pytest
from django.conf import settings

from tests import patient
from tests.authority.conftest import FORM, basic
from tests.resilience.test_database_away import demo_token
from tests.servers import free_port, running

NOTICED = 4  # seconds until whoever asks is refused; a machine with nothing else to do takes two
BACK = 30
GOES_ON = {"token", "JWKS", "alive"}


@pytest.fixture
def alone(tmp_path):
    environ = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "EMAIL_URL")}
    environ |= {"DATA_DIR": str(tmp_path / "data"), "PORT": str(free_port())}
    command = [sys.executable, "manage.py", "demo", "--json"]
    demo = subprocess.run(command, cwd=settings.BASE_DIR, env=environ, check=True, stdout=subprocess.PIPE)
    files = (tmp_path / "data" / "postgres").resolve()
    yield environ, json.loads(demo.stdout), files
    shutil.rmtree(files)


@contextmanager
def stopped(files):
    """Stop every process of PostgreSQL, without a word to anybody."""
    postmaster = psutil.Process(int((files / "postmaster.pid").read_text().splitlines()[0]))
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@contextmanager
def locked(files):
    """Hold what a migration holds."""
    with psycopg.connect(host=str(files), user="postgres", dbname="postgres") as connection:
        connection.execute("LOCK TABLE clients_client, consumers_user, django_session IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@pytest.mark.parametrize("fault", [stopped, locked])
def test_what_needs_no_database_goes_on_and_the_rest_is_told_to_come_back(alone, fault):
    environ, demo, files = alone
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
            with fault(files):
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
