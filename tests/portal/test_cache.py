"""The shared cache goes away and comes back: sign-in stays limited, and nothing breaks."""

import shutil
import socket
import subprocess
import time

import pytest
import redis
from django.core.cache import caches
from django.test import override_settings

from portal import cache, environment
from tests.servers import free_port

pytestmark = pytest.mark.django_db
TOO_MANY = "Too many tries"


@pytest.fixture
def port(monkeypatch):
    """The port of a Redis that nobody has started yet, which the shared cache uses."""
    monkeypatch.setattr(cache, "_away_until", 0.0)
    monkeypatch.setattr(cache, "PATIENCE", 60)  # the machine may be busy
    monkeypatch.setattr(cache, "PAUSE", 3600)
    port = free_port()
    with override_settings(CACHES=environment.caches(f"redis://127.0.0.1:{port}/0")):
        caches["table"].clear()
        yield port


@pytest.fixture
def serve(port, tmp_path):
    """Start the Redis, as often as it is asked for."""
    if (program := shutil.which("redis-server")) is None:
        pytest.skip("redis-server is not installed")
    started = []

    def start():
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
        started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        ours = redis.Redis(port=port)
        for _ in range(1000):
            try:
                ours.ping()
                return ours
            except redis.ConnectionError:
                time.sleep(0.05)
        raise TimeoutError

    yield start
    for process in started:
        process.kill()
        process.wait()


def guess(browser, email="alice@acme.example"):
    answer = browser.post("/account/login/", {"login": email, "password": "wrong password here"})
    assert answer.status_code < 500
    return TOO_MANY in answer.text


def test_while_redis_is_away_the_table_limits_sign_in(client, alice, port, caplog):
    tries = [guess(client) for _ in range(8)]
    assert tries[0] is False
    assert tries[-1] is True
    assert caplog.text.count("Redis does not answer") == 1, "it is not asked each time"


def test_limits_count_on_redis_and_go_on_in_the_table_and_back(client, alice, port, serve, monkeypatch):
    ours = serve()
    assert guess(client) is False
    assert ours.dbsize() > 0
    assert caches["table"].get("nothing") is None
    ours.shutdown(nosave=True)
    tries = [guess(client) for _ in range(8)]
    assert tries[-1] is True
    ours = serve()
    assert ours.dbsize() == 0
    monkeypatch.setattr(cache, "_away_until", 0.0)  # the pause is over
    assert guess(client, "another@acme.example") is False
    assert ours.dbsize() > 0


def test_what_was_kept_is_read_deleted_and_added_once_either_way(port):
    shared = caches["default"]
    assert shared.add("a", 1) is True
    assert shared.add("a", 2) is False
    assert shared.get("a") == 1
    shared.set("a", [3])
    assert shared.get("a") == [3]
    assert shared.delete("a") is True
    assert shared.get("a", "none") == "none"


def test_a_redis_that_swallows_everything_is_waited_for_once(port, monkeypatch, caplog):
    monkeypatch.setattr(cache, "PATIENCE", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", port))
        silent.listen()
        for _ in range(20):
            caches["default"].set("a", 1)
    assert caplog.text.count("Redis does not answer") == 1
