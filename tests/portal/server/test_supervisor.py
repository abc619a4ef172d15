"""The processes of `manage.py serve` are started again when they end, and end with it."""

import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest
from django.conf import settings

from tests import patient
from tests.authority.listening import eventually
from tests.resilience.test_killed import processes_of
from tests.servers import free_port, running


def children_of(process):
    """Return what each child of the server runs: its command line by its process."""
    found = {}
    for child in psutil.Process(process.pid).children():
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                found[child] = child.cmdline()
        except psutil.NoSuchProcess:
            continue
    return found


def worker_of(process):
    return next((child for child, command in children_of(process).items() if command[-1:] == ["work"]), None)


def test_a_worker_that_dies_is_started_again(server):
    port = free_port()
    command = [sys.executable, "manage.py", "serve", "--workers", "1", "--port", str(port)]
    with running(command, f"http://127.0.0.1:{port}/health/ready", server.environ) as process:
        eventually(lambda: worker_of(process))
        killed = worker_of(process)
        killed.kill()
        eventually(lambda: worker_of(process) not in (None, killed))


def test_a_web_process_that_dies_is_started_again_and_nobody_is_refused(server):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "manage.py", "serve", "--workers", "1", "--no-work", "--port", str(port)]
    with running(command, f"{url}/health/ready", server.environ) as process:
        (web,) = children_of(process)
        web.kill()
        assert patient.get(f"{url}/health/alive").status_code == 200  # it waits until there is another
        assert [child.pid for child in children_of(process)] != [web.pid]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_server_killed_at_any_moment_of_its_start_leaves_no_process(server):
    chance = random.Random(8)  # noqa: S311
    for _ in range(5):
        port = free_port()
        command = [sys.executable, "manage.py", "serve", "--workers", "2", "--port", str(port)]
        process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=server.environ, start_new_session=True)
        eventually(lambda pid=process.pid: len(processes_of(pid)) > 1)
        time.sleep(chance.uniform(0, 1))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        eventually(lambda pid=process.pid: not processes_of(pid))


def test_what_cannot_start_at_all_ends_the_server(server, tmp_path):
    (tmp_path / "broken.py").write_text("import sys\nsys.exit('Clientdesk cannot start: this is a test.')\n")
    code = f"""
import logging, socket, sys
sys.path.insert(0, {str(tmp_path)!r})
from portal.server.supervisor import Child, Supervisor
logging.basicConfig()
def run():
    import broken
sys.exit(Supervisor([Child("web process 1", run)], socket.socket()).run())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "cannot start: this is a test." in done.stderr
    assert "Traceback" not in done.stderr
