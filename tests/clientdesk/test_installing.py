"""`clientdesk` is installed by itself: nothing of the server, and nothing that the server needs, comes along."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

OF_THE_SERVER = {"django", "django-oauth-toolkit", "oauthlib", "psycopg", "granian", "cryptography"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A fresh environment that holds the built program."""
    folder = tmp_path_factory.mktemp("installed")
    found = subprocess.run([settings.BASE_DIR / ".ci" / "uv"], check=True, capture_output=True, text=True)
    uv = found.stdout.strip()
    environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environ |= {"UV_HTTP_TIMEOUT": "300", "UV_HTTP_RETRIES": "10"}  # seconds; the index may be slow

    def run(*words):
        done = subprocess.run(words, check=False, capture_output=True, text=True, env=environ, cwd=folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(uv, "build", "--quiet", "--python", sys.executable, "--wheel", "--out-dir", str(folder), str(settings.BASE_DIR))
    run(uv, "venv", "--quiet", "--python", sys.executable, "venv")
    (wheel,) = folder.glob("*.whl")
    run(uv, "pip", "install", "--quiet", "--python", "venv/bin/python", str(wheel))
    packages = run(uv, "pip", "list", "--quiet", "--python", "venv/bin/python", "--format", "freeze")
    return run, {line.partition("==")[0] for line in packages.splitlines()}


def test_program_runs_by_itself(installed):
    run, _ = installed
    assert run("venv/bin/clientdesk", "--version").startswith("clientdesk ")
    assert "oauth2-client" in run("venv/bin/clientdesk", "create", "--help")


def test_nothing_of_the_server_is_installed(installed):
    _, packages = installed
    assert "httpx" in packages
    assert not OF_THE_SERVER & packages
