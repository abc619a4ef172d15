"""The servers that are driven side by side, each with one worker and as little as it needs."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from benchmarks.harness import ROOT, Target, basic, run, running

PEER = ROOT / "benchmarks" / "oidc-provider"
BODY = "grant_type=client_credentials&scope=shipments%3Aread"
SECRET = "a-secret-of-the-benchmark-alone"


@dataclass(frozen=True)
class Postgres:
    """An embedded server, born on the core of whoever started it."""

    process: psutil.Process
    folder: str
    port: str

    @classmethod
    def of(cls, data: Path) -> "Postgres":
        """Return the one that keeps its data there."""
        number, _, _, port, folder, *_ = (data / "postgres" / "postmaster.pid").read_text().split("\n")
        return cls(psutil.Process(int(number)), folder, port)

    def database(self, name: str) -> dict[str, str]:
        """Return what libpq reads from the environment to reach the database, which is made where there is none."""
        where = {"PGHOST": self.folder, "PGPORT": self.port, "PGUSER": "postgres"}
        connected = psycopg.connect(
            host=self.folder, port=self.port, user="postgres", dbname="postgres", autocommit=True
        )
        with connected as server:
            if not server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
                server.execute(f'CREATE DATABASE "{name}"')
        return {**where, "PGDATABASE": name}


# -- Ours -------------------------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class Clientdesk(Target):
    """The demo, served on an embedded database of its own."""

    data: Path
    clients: dict[str, dict[str, Any]]
    postgres: Postgres


@contextmanager
def data_folder() -> Iterator[Path]:
    """Yield a folder for an embedded database, and leave nothing of it: root's lies elsewhere, behind a link."""
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        try:
            yield data
        finally:
            if (data / "postgres").is_symlink():
                shutil.rmtree((data / "postgres").resolve(), ignore_errors=True)


@contextmanager
def clientdesk(algorithm: str = "ES256") -> Iterator[Clientdesk]:
    with data_folder() as data:
        clients = demo(data)
        signed = f"signing_algorithm={algorithm!r}", f"id_token_signed_response_alg={algorithm!r}"
        manage(data, "shell", "--command", "Api.objects.update({}); Client.objects.update({})".format(*signed))
        with serving(data, clients) as target:
            yield target


def demo(data: Path, checkout: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Make the demo, and return its clients."""
    return dict(json.loads(manage_in(checkout, data, "demo", "--json"))["clients"])


@contextmanager
def serving(
    data: Path,
    clients: dict[str, dict[str, Any]],
    name: str = "Clientdesk",
    port: str = "7702",
    checkout: Path = ROOT,
    /,
    **environ: str,
) -> Iterator[Clientdesk]:
    """Serve what is in the folder. The target asks, as the demo's service, for tokens of its own."""
    command = [python(checkout), "manage.py", "serve", "--workers", "1", "--no-work", "--port", port]
    ready = f"http://127.0.0.1:{port}/health/ready"
    with running(command, ready, checkout, DATA_DIR=str(data), **environ) as server:
        postgres, service = Postgres.of(data), clients["service"]
        yield Clientdesk(
            name,
            f"http://127.0.0.1:{port}/oauth2/token",
            basic(service["client_id"], service["client_secret"]),
            [server, postgres.process],
            BODY,
            data=data,
            clients=clients,
            postgres=postgres,
        )


def manage(data: Path, *arguments: str, **environ: str) -> str:
    """Run a command of ours on what is in the folder, and return what it printed."""
    return manage_in(ROOT, data, *arguments, **environ)


def manage_in(checkout: Path, data: Path, *arguments: str, **environ: str) -> str:
    return run([python(checkout), "manage.py", *arguments], checkout, DATA_DIR=str(data), **environ)


def python(checkout: Path) -> str:
    """Return the interpreter with what that checkout locks."""
    return sys.executable if checkout == ROOT else str(checkout / ".venv" / "bin" / "python")


# -- Others -----------------------------------------------------------------------------------------------------------


@contextmanager
def oidc_provider(algorithm: str, database: Postgres | None = None, tokens: str = "jwt") -> Iterator[Target]:
    """Serve the npm package: with its memory adapter, or with ours for a database of that server."""
    if not (PEER / "node_modules").exists():
        run(["npm", "ci", "--silent", "--prefix", str(PEER)])
    environ = {"PORT": "7701", "ALGORITHM": algorithm, "CLIENT_SECRET": SECRET, "NODE_ENV": "production"}
    environ["TOKENS"] = tokens
    environ |= database.database("oidc_provider") if database else {}
    with running(["node", str(PEER / "server.mjs")], "http://127.0.0.1:7701/jwks", **environ) as server:
        processes = [server, *([database.process] if database else [])]
        yield Target("oidc-provider", "http://127.0.0.1:7701/token", basic("benchmark", SECRET), processes, BODY)


@contextmanager
def toolkit(database: Postgres, *, fast: bool) -> Iterator[Target]:
    """Serve django-oauth-toolkit without us, by the server and on the PostgreSQL that ours has."""
    port = "7704" if fast else "7703"
    environ = {"DJANGO_SETTINGS_MODULE": "benchmarks.toolkit.settings", **({"FAST_HASHER": "1"} if fast else {})}
    environ |= database.database("toolkit_fast" if fast else "toolkit")
    django = [sys.executable, "-m", "django"]
    run([*django, "migrate", "--verbosity", "0"], **environ)
    application = ["--client-id", "benchmark", "--client-secret", SECRET, "confidential", "client-credentials"]
    run([*django, "createapplication", *application], **environ)
    granian = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", port, "--log-level", "warning"]
    same = ["--workers", "1", "--blocking-threads", "4", "--backpressure", "64"]  # as `manage.py serve` has them
    with running(
        [*granian, *same, "benchmarks.toolkit.wsgi:application"], f"http://127.0.0.1:{port}/o/token/", **environ
    ) as server:
        yield Target(
            "toolkit, fast hasher" if fast else "toolkit, stock",
            f"http://127.0.0.1:{port}/o/token/",
            basic("benchmark", SECRET),
            [server, database.process],
            BODY,
            # PBKDF2 takes half a second and more, so a round must be long, and of several at once none would end in it.
            **({} if fast else {"most_connections": 1, "least_seconds": 10}),
        )
