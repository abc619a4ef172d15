"""Processes are killed outright under mixed writes: what callers were told is done is there, whole."""

import sys
from contextlib import contextmanager

import pytest

from drills import kills
from portal import invariants
from tests.servers import free_port, running

KILLS = 5
DOORS = {"create", "patch", "rotate", "delete", "invite", "register", "update", "page", "token"}


def broken_rows(server):
    with server.database():
        return {(each.invariant.name, row) for each in invariants.check_all() for row in each.rows}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_what_was_acknowledged_outlives_kills_at_random_moments(server):
    port, before = free_port(), broken_rows(server)
    url = f"http://127.0.0.1:{port}"

    @contextmanager
    def start():
        command = [sys.executable, "manage.py", "serve", "--workers", "2", "--no-work", "--port", str(port)]
        with running(command, f"{url}/health/ready", server.environ) as process:
            yield process.pid

    seen = kills.drill(start, url, server.demo, KILLS)
    assert seen.broken(server.url) == {}
    assert seen.refused == {}
    assert seen.promised.keys() >= DOORS
    assert broken_rows(server) == before
