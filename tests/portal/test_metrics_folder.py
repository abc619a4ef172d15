"""Temporary files: where the processes of a server count, and what happens when no folder takes them."""

import fcntl
import os
import subprocess
import sys

import pytest
from django.conf import settings

from portal import metrics_folder
from tests import patient
from tests.servers import free_port, running


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """A folder that stands for the system's in memory."""
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(metrics_folder, "IN_MEMORY", str(folder))
    return folder


def test_folder_is_in_memory_and_goes_with_its_server(memory):
    with metrics_folder.metrics_folder() as folder:
        assert os.path.dirname(folder) == str(memory)
        assert os.stat(folder).st_mode & 0o077 == 0
    assert list(memory.iterdir()) == []


def test_folder_of_a_killed_server_is_deleted_and_no_other(memory):
    for name in ("killed", "running", "starting"):
        (memory / f"{metrics_folder.PREFIX}{name}").mkdir()
    for name in ("killed", "running"):
        (memory / f"{metrics_folder.PREFIX}{name}" / metrics_folder.LOCK).touch()
    with (memory / f"{metrics_folder.PREFIX}running" / metrics_folder.LOCK).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with metrics_folder.metrics_folder():
            left = {path.name.removeprefix(metrics_folder.PREFIX) for path in memory.iterdir()}
    assert "killed" not in left
    assert {"running", "starting"} < left


def test_a_full_memory_leaves_the_folder_for_temporary_files(monkeypatch, tmp_path):
    monkeypatch.setattr(metrics_folder, "IN_MEMORY", "/proc")  # where nothing can be made
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with metrics_folder.metrics_folder() as folder:
        assert os.path.dirname(folder) == str(tmp_path)


def in_a_small_world(command, folder):
    """Return the command as it runs where temporary files have no room, which root alone may arrange."""
    small = f"for each in /dev/shm {folder}; do mount -t tmpfs -o size=64k small $each; done"
    return ["unshare", "--mount", "sh", "-c", f'{small}; exec "$@"', "sh", *command]


@pytest.mark.skipif(
    subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "a", "/mnt"], check=False, capture_output=True
    ).returncode
    != 0,
    reason="only root may mount",
)
def test_server_without_room_for_temporary_files_says_so_or_needs_none(server, tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    serve = [sys.executable, "manage.py", "serve", "--workers", "1", "--no-work", "--port", str(port)]
    command, environ = in_a_small_world(serve, tmp_path), server.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Clientdesk cannot start: there is no room for the counters of /metrics")
    assert done.stderr.count("\n") == 1
    with running(command, f"{url}/health/ready", environ | {"METRICS_TOKEN": ""}):
        service = server.service()
        form = {"grant_type": "client_credentials", "scope": "shipments:read"}
        for _ in range(3):
            assert patient.post(f"{url}/oauth2/token", data=form, auth=service).status_code == 200
        assert patient.get(f"{url}/account/login/").status_code == 200
