"""docs/deploy.md, followed to the letter: a reader's shell runs its blocks in order, and its unit serves.

Everything under /srv and /etc is in a folder of its own, names of hosts become those of this machine, and what needs
another machine or systemd is a shim that notes what it was told. What a block is for stands behind its language: `sh`
is run, `sh serve` is run until the server answers.
"""

import configparser
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest
from django.conf import settings

from tests import patient
from tests.network import Network
from tests.servers import free_port, wait_for

ROOT = settings.BASE_DIR
PAGE = (ROOT / "docs" / "deploy.md").read_text()
PASSWORD = "a long and quiet afternoon"
METRICS_TOKEN = "a-token-for-prometheus-alone"
PUBLIC = {"Host": "portal.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
SILENCE = 60  # seconds
IS_ROOT = os.geteuid() == 0


@dataclass(frozen=True)
class Block:
    heading: str
    language: str
    purpose: str
    text: str


def blocks() -> list[Block]:
    found, heading = [], ""
    for part in re.finditer(r"^## ([^\n]+)$|^```([a-z]*) ?([a-z ]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        if part[1]:
            heading = part[1]
        else:
            found.append(Block(heading, part[2], part[3], part[4]))
    return found


def blocks_of(language: str, *headings: str) -> list[Block]:
    found = [block for block in blocks() if block.language == language and block.heading in headings]
    assert found, f"deploy.md has no {language} under {headings}"
    return found


def test_every_block_is_of_a_kind_that_a_test_follows():
    followed = {
        ("sh", ""),
        ("sh", "serve"),
        ("sh", "restore"),
        ("sql", ""),
        ("ini", ""),
        ("caddyfile", ""),
        ("nginx", ""),
    }
    assert {(block.language, block.purpose) for block in blocks()} == followed


@dataclass
class Machine:
    """A machine of the reader's: what the page puts where, in a folder of its own."""

    home: Path
    database: str
    network: Network
    port: int = field(default_factory=free_port)

    @property
    def shims(self) -> Path:
        return self.home / "shims"

    @property
    def environ(self) -> dict[str, str]:
        """Return the shell's environment: root's, with nothing of the project in it."""
        path = f"{self.shims}:{os.environ['PATH']}"
        kept = {
            name: os.environ[name] for name in ("HOME", "LANG", "UV_CACHE_DIR", "SSL_CERT_FILE") if name in os.environ
        }
        return kept | {"PATH": path, "PORT": str(self.port), "METRICS_TOKEN": METRICS_TOKEN} | self.library

    @property
    def library(self) -> dict[str, str]:
        """Return where a Python that was not built to be moved finds its library."""
        return {"LD_LIBRARY_PATH": str(next((self.home / "srv/clientdesk/python").glob("*/lib")))}

    def translate(self, text: str) -> str:
        """Put this machine's names into a text of the page's."""
        mine = f"postgresql://{self.database}:password@127.0.0.1:{self.network.port}/{self.database}"
        text = re.sub(r"postgresql://clientdesk:password@db\.example\.com:5432/clientdesk\?[^']*", mine, text)
        text = text.replace("<this repository>", str(self.home / "source"))
        return re.sub(r"(?<![\w.])/(srv|etc|var/backups)/clientdesk", rf"{self.home}/\1/clientdesk", text)

    def as_superuser(self, block: Block) -> None:
        """Run SQL of the page's where its database server is the tests' own, under a name that is free there."""
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
            for statement in re.sub(r"\bclientdesk\b", self.database, block.text).split(";\n"):
                if statement.strip():
                    connection.execute(statement)

    def drop(self) -> None:
        with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
            connection.execute(f'DROP ROLE IF EXISTS "{self.database}"')

    def type(self, script: str, answers: dict[str, str]) -> str:
        """Have a shell run the script at a terminal, and answer what it asks; return what it printed."""
        path = self.home / "typed.sh"
        path.write_text(self.translate(script))
        mine, theirs = pty.openpty()
        shell = ["bash", "-e", "-u", "-o", "pipefail", str(path)]
        with subprocess.Popen(
            shell, cwd=self.home, env=self.environ, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        ) as process:
            os.close(theirs)
            printed, answered = "", 0
            while piece := read(mine):
                printed += piece
                for prompt, answer in answers.items():
                    if printed[answered:].endswith(prompt):
                        answered = len(printed)
                        os.write(mine, f"{answer}\n".encode())
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a shell that waits for what nobody types, or its server
        os.close(mine)
        assert process.returncode == 0, printed[-5000:]
        return printed

    def unit(self) -> dict[str, str]:
        [block] = blocks_of("ini", "Serve")
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(self.translate(block.text))
        return dict(parser["Service"])

    @contextmanager
    def service(self) -> Iterator[None]:
        """Run the unit as systemd would: its user, its folder, its environment and no other."""
        unit = self.unit()
        environ = {"PATH": "/usr/bin:/bin", "PORT": str(self.port), "METRICS_TOKEN": METRICS_TOKEN} | self.library
        for line in Path(unit["EnvironmentFile"]).read_text().splitlines():
            name, _, value = line.partition("=")
            [environ[name]] = shlex.split(value)
        command = shlex.split(unit["ExecStart"])
        if IS_ROOT:
            user = self.user(unit["User"])
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs", *command]
        with (
            (self.home / "log").open("ab") as log,
            subprocess.Popen(command, cwd=unit["WorkingDirectory"], env=environ, stderr=log) as process,
        ):
            try:
                wait_for(f"http://127.0.0.1:{self.port}/health/ready", process, seconds=30)
                yield
            finally:
                process.terminate()
        assert process.returncode == 0

    def user(self, name: str) -> str:
        [line] = [line for line in (self.home / "etc/passwd").read_text().splitlines() if line.startswith(f"{name}:")]
        return line.split(":")[2]


def read(terminal: int) -> str:
    """Return what the shell has printed since, and nothing when it has ended or has been silent for long."""
    if not select.select([terminal], [], [], SILENCE)[0]:
        return ""
    try:
        return os.read(terminal, 10_000).decode(errors="replace").replace("\r\n", "\n")
    except OSError:  # the shell has ended
        return ""


@pytest.fixture(scope="module")
def machine(django_db_setup, django_db_blocker) -> Iterator[Machine]:
    home = Path(tempfile.mkdtemp(prefix="clientdesk-deploy-"))  # not pytest's, which nobody else may enter
    home.chmod(0o755)
    machine = Machine(home, f"test_deploy_{os.getpid()}", Network())
    try:
        prepare(machine)
        yield machine
    finally:
        machine.drop()
        machine.network.close()
        shutil.rmtree(home)


def prepare(machine: Machine) -> None:
    """Make what the reader has: the repository with its tags, uv with a Python of its own, and a system."""
    source = machine.home / "source"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        [*identity, "commit", "-qm", "All"],
        ["tag", "v0.1.0"],
        ["tag", "v0.2.0"],
    ):
        subprocess.run(["git", *command], cwd=source, check=True)

    version = ".".join(map(str, sys.version_info[:3]))
    python = machine.home / "srv/clientdesk/python" / f"cpython-{version}-linux-x86_64-gnu"
    skipped = shutil.ignore_patterns("test", "__pycache__", "*.a", "site-packages", "idlelib", "tkinter")
    for folder in ("bin", "lib"):
        shutil.copytree(Path(sys.base_prefix) / folder, python / folder, symlinks=True, ignore=skipped)

    machine.shims.mkdir()
    (machine.home / "etc").mkdir()
    for name in ("passwd", "group", "shadow", "gshadow"):
        (machine.home / "etc" / name).touch()
    useradd = f'exec {shutil.which("useradd")} --prefix {machine.home} "$@"' if IS_ROOT else "true"
    shim(machine, "useradd", useradd)
    shim(machine, "systemctl", f'echo "$@" >> {machine.home}/systemctl')
    uv = subprocess.run([".ci/uv"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    (machine.shims / "uv").symlink_to(shutil.which(uv) or uv)


def shim(machine: Machine, name: str, script: str) -> None:
    path = machine.shims / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


SERVE = """
{block} &
until {python} -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$PORT/health/ready')" 2>/dev/null
do kill -0 $!; sleep 0.2; done
kill -TERM $!
wait $!
"""


def typed(*headings: str) -> str:
    found = []
    for block in blocks_of("sh", *headings):
        if block.purpose == "restore":
            continue
        text = block.text.rstrip("\n")
        found.append(SERVE.format(block=text, python=sys.executable) if block.purpose == "serve" else text)
    return "\n".join(found)


@pytest.fixture(scope="module")
def installed(machine):
    for block in blocks_of("sql", "Install"):
        machine.as_superuser(block)
    answers = {"Email address: ": "olga@example.com", "Password: ": PASSWORD, "Password (again): ": PASSWORD}
    printed = machine.type(typed("Install", "Serve"), answers)
    for block in blocks_of("sql", "Serve"):
        machine.as_superuser(block)
    return printed


def runs_through_without_a_complaint(machine, installed):
    assert "System check identified no issues" in installed
    assert "Superuser created successfully" in installed
    assert "WARN" not in installed
    assert "Traceback" not in installed
    assert (machine.home / "etc/clientdesk.env").stat().st_mode & 0o077 == 0


def answers(machine: Machine) -> None:
    """Look at what the page and an operator look at first."""
    with patient.Client(base_url=f"http://127.0.0.1:{machine.port}") as asked:
        assert asked.get("/health/alive").json() == {"status": "ok"}
        assert asked.get("/health/ready").json()["status"] == "ok"
        metrics = asked.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        assert "clientdesk_database_up 1.0" in metrics.text
        page = asked.get("/account/login/", headers=PUBLIC)
        assert page.status_code == 200
        [style] = re.findall(r'rel="stylesheet" href="([^"]+)"', page.text)[:1]
        assert asked.get(style, headers=PUBLIC).status_code == 200
        assert asked.get("/.well-known/jwks.json", headers=PUBLIC).json()["keys"]
    with httpx.Client(base_url=f"http://127.0.0.1:{machine.port}", headers=PUBLIC, timeout=60) as olga:
        sign_in(olga)
        assert olga.get("/operators/").headers["Location"] == "/operators/security/"
        assert "Set up a second factor" in olga.get("/operators/security/").text


def sign_in(person: httpx.Client) -> None:
    page = person.get("/account/login/").text
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[:1]
    cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in person.cookies.items())}
    form = {"csrfmiddlewaretoken": token, "login": "olga@example.com", "password": PASSWORD}
    done = person.post("/account/login/", data=form, headers=cookies | {"Referer": "https://portal.example.com/"})
    assert done.status_code == 302, done.text[:2000]
    person.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in person.cookies.items())


def unit_serves_as_its_user_who_may_write_nothing(machine, installed):
    with machine.service():
        answers(machine)
        if IS_ROOT:
            own = subprocess.run(
                ["find", machine.home / "srv", "-user", machine.user("clientdesk")], check=True, capture_output=True
            )
            assert own.stdout == b""
    log = (machine.home / "log").read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log


def upgrade_changes_over_and_serves(machine, installed):
    with machine.service():
        machine.type(typed("Upgrade"), {})
        assert patient.get(f"http://127.0.0.1:{machine.port}/health/ready").status_code == 200, "the old one serves"
    assert (machine.home / "systemctl").read_text().splitlines() == ["stop clientdesk", "start clientdesk"]
    assert (machine.home / "srv/clientdesk/current").resolve().name == "v0.2.0"
    with machine.service():
        answers(machine)


def backup_is_restored_into_an_empty_database(machine, installed):
    here = f"cd {machine.home}/srv/clientdesk/v0.1.0; export UV_PYTHON_PREFERENCE=only-managed\n"
    here += (
        f"export UV_PYTHON_INSTALL_DIR={machine.home}/srv/clientdesk/python; set -a; . /etc/clientdesk.env; set +a\n"
    )
    assert "A restore needs these" in machine.type(here + typed("Back up"), {})
    [made] = (machine.home / "var/backups/clientdesk").iterdir()
    [restore] = [block.text for block in blocks_of("sh", "Back up") if block.purpose == "restore"]
    empty = f"{machine.database}_restored"
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{empty}" OWNER "{machine.database}"')
    here += f'export DATABASE_URL="${{DATABASE_URL%/*}}/{empty}"\n'
    assert "(RTO)" in machine.type(here + re.sub(r"\d{4}-\d\d-\d\d-\d{6}", made.name, restore), {})
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{empty}" WITH (FORCE)')


def weak_password_is_refused_without_a_terminal_too(machine, installed):
    script = (
        f"cd {machine.home}/srv/clientdesk/current; export UV_PYTHON_PREFERENCE=only-system\n"
        "set -a; . /etc/clientdesk.env; set +a\n"
        "DJANGO_SUPERUSER_PASSWORD=short .venv/bin/python manage.py createsuperuser "
        "--noinput --email other@example.com && exit 1 || true"
    )
    assert "This password is too short" in machine.type(script, {})


def systemd_takes_the_unit(machine, installed):
    path = machine.home / "clientdesk.service"
    [block] = blocks_of("ini", "Serve")
    path.write_text(machine.translate(block.text))
    done = subprocess.run(["systemd-analyze", "verify", path], check=False, capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if "clientdesk.service" in line] == []


def test_the_page_is_followed_to_the_letter(machine, installed, subtests):
    """One test, so that one process installs it, once."""
    steps = [
        runs_through_without_a_complaint,
        unit_serves_as_its_user_who_may_write_nothing,
        upgrade_changes_over_and_serves,
        backup_is_restored_into_an_empty_database,
        weak_password_is_refused_without_a_terminal_too,
    ]
    for step in steps + [systemd_takes_the_unit] * bool(shutil.which("systemd-analyze")):
        with subtests.test(step.__name__):
            step(machine, installed)


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_takes_its_configuration(tmp_path):
    [block] = blocks_of("nginx", "TLS")
    upstream, location = block.text.split("\nlocation ")
    path = tmp_path / "nginx.conf"
    path.write_text(
        f"pid {tmp_path}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{ access_log off;\n{upstream}\nserver {{ listen 127.0.0.1:1;\nlocation {location} }} }}\n"
    )
    done = subprocess.run(["nginx", "-t", "-c", path, "-e", "stderr"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


@pytest.mark.skipif(not shutil.which("caddy"), reason="Caddy is not installed")
def test_caddy_takes_its_configuration(tmp_path):
    [block] = blocks_of("caddyfile", "TLS")
    path = tmp_path / "Caddyfile"
    path.write_text(block.text)
    command = ["caddy", "validate", "--adapter", "caddyfile", "--config", path]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
