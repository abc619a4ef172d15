"""A server that is killed outright leaves no process behind that would keep its port."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.authority.listening import eventually
from tests.servers import free_port, running


def processes_of(session):
    """Return the processes of a session, by what the kernel says of each."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of_session = entry.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has ended meanwhile
            continue
        if int(of_session) == session and state != "Z":
            found.append(int(entry.parent.name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_killed_server_takes_its_processes_along(server):
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--workers", "2", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}/health/ready", server.environ) as process:
        eventually(lambda: len(processes_of(process.pid)) >= 4)  # itself, two of the web, and the worker
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        eventually(lambda: not processes_of(process.pid))
