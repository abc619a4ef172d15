"""manage.py does what Django people expect, on an embedded database of its own."""

import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests import patient
from tests.servers import free_port, running


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """An environment that says nothing but where the data go; with a migrated embedded database."""
    data = tmp_path_factory.mktemp("private") / "fresh"  # in a folder that no other test opens to others
    data.mkdir(mode=0o700)
    environ = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "EMAIL_URL", "PORT")}
    environ["DATA_DIR"] = str(data)
    manage(environ, "migrate", "--verbosity", "0")
    yield environ
    postgres = data / "postgres"
    shutil.rmtree(postgres.resolve())


def manage(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_superuser_made_on_the_command_line_may_sign_in_at_once(fresh):
    secret = {"DJANGO_SUPERUSER_PASSWORD": "a long and quiet afternoon"}
    manage(fresh | secret, "createsuperuser", "--no-input", "--email", "root@provider.example")

    seen = manage(
        fresh,
        "shell",
        "--command",
        "u = User.objects.get(); print(u.email, u.is_staff, u.emailaddress_set.get().verified)",
    )

    assert "root@provider.example True True" in seen


def test_data_stay_when_the_last_process_has_gone(fresh):
    manage(fresh, "shell", "--command", "Consumer.objects.create(name='Kept', slug='kept')")

    assert "Kept" in manage(fresh, "shell", "--command", "print(Consumer.objects.get(slug='kept'))")


def test_runserver_serves_pages_and_styles(fresh):
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    environ = fresh | {"PORT": str(port)}
    with running([sys.executable, "manage.py", "runserver", "--noreload", str(port)], f"{base}/health/ready", environ):
        assert patient.get(f"{base}/static/css/portal.css").status_code == 200
        assert patient.get(base).status_code == 302


def test_embedded_database_opens_no_private_folder(fresh):
    data = Path(fresh["DATA_DIR"])

    assert stat.S_IMODE((data / "identity.json").stat().st_mode) == 0o600
    for folder in (data, data.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_second_server_at_one_port_says_so(fresh):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "manage.py", "serve"],
            cwd=settings.BASE_DIR,
            env=fresh | {"PORT": port},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"Clientdesk cannot start: 127.0.0.1 port {port}: Address already in use")
    assert said.endswith("Set PORT to another.")


def test_embedded_database_locks_a_file_of_its_own_that_other_users_of_the_machine_do_not_share(fresh):
    assert (Path(fresh["DATA_DIR"]) / "postgres.lock").exists()
