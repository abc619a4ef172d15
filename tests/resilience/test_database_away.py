"""PostgreSQL is stopped at once under a running server, and comes back: nothing is worse than 503 meanwhile."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict

from django.conf import settings

from tests import patient
from tests.authority.conftest import FORM, basic
from tests.resilience.conftest import demo_token
from tests.servers import running

TRUSTED = 2  # seconds, more than anything is remembered without the database
ANSWERS = 10  # of each kind, to requests that are sent after that
BACK = 60  # seconds until all is well again; a machine with nothing else to do takes five


def stop_at_once(files):
    pid = int((files / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)  # “immediate”: no farewell to anybody, recovery at the next start
    while (files / "postmaster.pid").exists():
        time.sleep(0.05)


def start_again(environ):
    command = [sys.executable, "manage.py", "check"]
    subprocess.run(command, cwd=settings.BASE_DIR, env=environ, check=True, stdout=subprocess.DEVNULL)


def test_without_its_database_the_server_asks_to_come_back_and_recovers_by_itself(alone):
    environ, demo, files = alone
    url = f"http://127.0.0.1:{environ['PORT']}"
    client = next(each for each in demo["clients"].values() if each.get("client_secret"))
    program = {"Content-Type": FORM, "Authorization": basic(client["client_id"], client["client_secret"])}
    asked = {
        "token": ("POST", "/oauth2/token", program, "grant_type=client_credentials"),
        "introspection": ("POST", "/oauth2/introspect", program, "token=cdx_unknown"),
        "page": ("GET", "/", {"Cookie": "session=abcdefghijklmnopqrstuvwxyz012345"}, None),
        "management": ("GET", "/admin/clients", {"Authorization": f"Bearer {demo_token(environ)}"}, None),
        "ready": ("GET", "/health/ready", {}, None),
        "alive": ("GET", "/health/alive", {}, None),
    }
    seen, stop = defaultdict(list), threading.Event()

    def ask(name, http):
        method, path, headers, body = asked[name]
        sent = time.monotonic()
        answer = http.request(method, url + path, headers=headers, content=body)
        if answer.status_code == 503:
            assert answer.headers["Retry-After"], name
            assert "Traceback" not in answer.text
        seen[name].append((sent, answer.status_code))
        return answer.status_code

    def keep_asking(name):
        with patient.Client() as http:
            while not stop.wait(0.2):
                ask(name, http)

    command = [sys.executable, "manage.py", "serve", "--workers", "2"]
    with running(command, f"{url}/health/ready", environ), patient.Client() as http:
        well = {name: ask(name, http) for name in asked}
        assert well == {"token": 200, "introspection": 200, "page": 302, "management": 200, "ready": 200, "alive": 200}
        threads = [threading.Thread(target=keep_asking, args=[name]) for name in asked]
        for thread in threads:
            thread.start()
        time.sleep(1)
        stop_at_once(files)
        gone = time.monotonic()
        late: dict[str, list[int]] = {}
        while not late or min(map(len, late.values())) < ANSWERS:
            time.sleep(0.1)
            assert all(thread.is_alive() for thread in threads)
            late = {name: [status for sent, status in seen[name] if sent > gone + TRUSTED] for name in asked}
        start_again(environ)
        back = time.monotonic()
        while any(seen[name][-1][1] != well[name] for name in asked):
            assert time.monotonic() < back + BACK, "it did not recover"
            time.sleep(0.1)
        stop.set()
        for thread in threads:
            thread.join(timeout=120)
            assert not thread.is_alive(), "a worker hangs"
        assert {name: ask(name, http) for name in asked} == well
    assert {status for _, status in seen["alive"]} == {200}
    for name in asked.keys() - {"alive"}:
        assert {status for _, status in seen[name]} == {well[name], 503}, name
        assert set(late[name]) == {503}, f"{name}: nothing is trusted that long"
