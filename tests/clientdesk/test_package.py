"""`clientdesk` is installed by itself: nothing of the server, and nothing that the server needs, comes along."""

import os
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from packaging.specifiers import SpecifierSet

OF_THE_SERVER = {"django", "django-oauth-toolkit", "oauthlib", "psycopg", "uvloop", "cryptography"}
# The first Python that the wheel is for, and the one that the server runs on.
OLDEST = "3.11"
PYTHONS = [OLDEST, f"{sys.version_info.major}.{sys.version_info.minor}"]

IMPORT_EVERYTHING = """
import importlib, pkgutil, sys, clientdesk
for module in pkgutil.walk_packages(clientdesk.__path__, "clientdesk."):
    importlib.import_module(module.name)
print(*sys.version_info[:2], sep=".")
"""


class Uv:
    """The uv that the project uses, away from the environment in which the tests run."""

    def __init__(self, folder: Path) -> None:
        found = subprocess.run([settings.BASE_DIR / ".ci" / "uv"], check=True, capture_output=True, text=True)
        self.program = found.stdout.strip()
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        self.environ |= {"UV_HTTP_TIMEOUT": "300", "UV_HTTP_RETRIES": "10"}  # seconds; the index may be slow

    def tried(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, check=False, capture_output=True, text=True, env=self.environ, cwd=self.folder)

    def run(self, *words: str | Path) -> str:
        done = self.tried(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def __call__(self, *words: str | Path) -> str:
        return self.run(self.program, *words)

    def python(self, version: str) -> str:
        """Return the path of a Python of this version: one of the machine, or one that uv fetches."""
        if version == PYTHONS[-1]:
            return sys.executable
        for command in (["find", "--no-project", version], ["install", version], ["find", "--no-project", version]):
            done = self.tried(self.program, "python", *command)
            if command[0] == "find" and done.returncode == 0:
                return done.stdout.strip()
        pytest.skip(f"NOT SHOWN: there is no Python {version} here, and uv cannot fetch one: {done.stderr.strip()}")


@dataclass
class Installed:
    """An environment that holds the wheel and what it needs."""

    uv: Uv
    bin: Path
    version: str

    def __call__(self, program: str, *words: str) -> str:
        return self.uv.run(self.bin / program, *words)


@pytest.fixture(scope="module")
def uv(tmp_path_factory) -> Uv:
    return Uv(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def wheel(uv) -> Path:
    uv("build", "--quiet", "--python", sys.executable, "--wheel", "--out-dir", uv.folder, settings.BASE_DIR)
    (built,) = uv.folder.glob("*.whl")
    return built


@pytest.fixture(scope="module", params=PYTHONS)
def installed(request, uv, wheel) -> Installed:
    """A fresh environment that holds the built program."""
    folder = uv.folder / f"venv-{request.param}"
    uv("venv", "--quiet", "--python", uv.python(request.param), folder)
    uv("pip", "install", "--quiet", "--python", folder / "bin" / "python", wheel)
    return Installed(uv, folder / "bin", request.param)


def test_the_oldest_python_is_the_one_that_the_wheel_says():
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={OLDEST}"
    assert f"Programming Language :: Python :: {OLDEST}" in project["classifiers"]


def test_wheel_holds_the_program_and_its_licence_alone(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA"))
        (licence,) = (archive.read(name) for name in names if name.endswith(".dist-info/licenses/LICENSE"))
    (information,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    assert {name.split("/")[0] for name in names} == {"clientdesk", information}
    assert "clientdesk/cli.py" in names
    assert licence == (settings.BASE_DIR / "LICENSE").read_bytes()
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    assert f"\nRequires-Python: {SpecifierSet(f'>={OLDEST}')}\n" in metadata


def test_program_runs_by_itself(installed):
    assert installed("clientdesk", "--version").startswith("clientdesk ")
    assert "create" in installed("clientdesk", "--help")
    assert "client" in installed("clientdesk", "create", "--help")


def test_every_module_of_the_program_loads(installed):
    """The screens too, which the commands load when they are asked for."""
    assert installed("python", "-I", "-c", IMPORT_EVERYTHING).strip() == installed.version


def test_nothing_of_the_server_is_installed(installed):
    listed = installed.uv("pip", "list", "--quiet", "--python", installed.bin / "python", "--format", "freeze")
    packages = {line.partition("==")[0] for line in listed.splitlines()}
    assert "httpx" in packages
    assert not OF_THE_SERVER & packages
