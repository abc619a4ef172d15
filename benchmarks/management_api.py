"""The management API with 100,000 clients: p50 and p99 of a list of 50, of registering and of patching.

Run it with `uv run python -m benchmarks.management_api`. It makes a database of its own, and drops it.
One request at a time, each over a kept connection; the tokens take turns, because each may send 100 requests in 10
seconds only.
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from portal import startup

DATABASE = "management_benchmark"
ROOT = Path(__file__).resolve().parent.parent
CLIENTS, CONSUMERS, TOKENS, ROUNDS = 100_000, 100, 40, 200
FILL = f"""
import json
from datetime import timedelta
from django.utils import timezone
from clients.models import Client
from consumers.audit import SYSTEM
from consumers.models import Consumer, User
from consumers.scopes import MANAGEMENT_SCOPES
from consumers.actions.personal_tokens import create_token
from django.db import connection

acme = Consumer.objects.get(slug="acme")
others = Consumer.objects.bulk_create(Consumer(name=f"Consumer {{n}}", slug=f"c{{n}}") for n in range({CONSUMERS} - 1))
Client.objects.create(
    consumer=acme, client_name="Client", grant_types=["client_credentials"], scopes=["shipments:read"]
)
# One row, copied: a hundred thousand through the ORM would take longer than the benchmark.
columns = [field.column for field in Client._meta.concrete_fields if field.column != "id"]
new = {{
    "client_id": "'cl_benchmark' || n",
    "client_name": "'Client ' || n",
    "consumer_id": "(%s::uuid[])[1 + n %% {CONSUMERS}]",
}}
with connection.cursor() as cursor:
    cursor.execute(
        f"INSERT INTO clients_client ({{', '.join(columns)}}) "
        f"SELECT {{', '.join(new.get(column, column) for column in columns)}} "
        "FROM generate_series(1, {CLIENTS}) n, (SELECT * FROM clients_client WHERE client_name = 'Client') one",
        [[each.pk for each in [acme, *others]]],
    )
    cursor.execute("ANALYZE")

def tokens(user):
    end = timezone.now() + timedelta(days=1)
    return [
        create_token(user=user, name="Benchmark", scopes=MANAGEMENT_SCOPES, expires_at=end, actor=SYSTEM)[1]
        for _ in range({TOKENS})
    ]

people = {{"operator": User.objects.get(is_staff=True), "manager": User.objects.get(email="alice@acme.example")}}
print(json.dumps({{name: tokens(user) for name, user in people.items()}}))
"""


@contextmanager
def serving(port: int) -> Iterator[dict[str, list[str]]]:
    """Fill a database of the server that the settings name, serve it, and yield each person's tokens."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    startup.prepare()  # starts the embedded database where none is named
    from django.conf import settings

    usual = urlsplit(settings.DATABASE_URL)
    with tempfile.TemporaryDirectory() as data, psycopg.connect(settings.DATABASE_URL, autocommit=True) as database:
        database.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        database.execute(f"CREATE DATABASE {DATABASE}")
        environ = os.environ | {
            "DATABASE_URL": usual._replace(path=f"/{DATABASE}").geturl(),
            "DATA_DIR": data,
            "PORT": str(port),
            "LOG_LEVEL": "ERROR",
        }
        manage = [sys.executable, "manage.py"]
        run = partial(subprocess.run, cwd=ROOT, env=environ, check=True, stdout=subprocess.PIPE, text=True)
        run([*manage, "demo"])
        filled = run([*manage, "shell", "--command", FILL])
        server = subprocess.Popen(
            [*manage, "serve", "--workers", "1"], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health/ready")
            yield json.loads(filled.stdout.strip().splitlines()[-1])
        finally:
            server.terminate()
            server.wait(timeout=20)
            database.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def wait_for(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError(url)


def measure(send: Callable[[], httpx.Response]) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds."""
    for _ in range(10):
        send()
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        answer = send()
        taken.append((time.perf_counter() - start) * 1000)
        assert answer.status_code < 300, answer.text
    return statistics.median(taken), statistics.quantiles(taken, n=100)[98]


def main() -> None:
    port = int(os.environ.get("PORT", "8190"))
    with serving(port) as tokens, httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        print(f"{'':<28}{'p50':>9}{'p99':>9}   milliseconds, {CLIENTS:,} clients")
        for who, theirs in tokens.items():
            turn = itertools.cycle(theirs)

            def ask(method: str, path: str, turn: Iterator[str] = turn, **body: object) -> httpx.Response:
                return http.request(method, path, headers={"Authorization": f"Bearer {next(turn)}"}, **body)  # type: ignore[arg-type]

            first = ask("GET", "/admin/clients?page_size=1&consumer=acme").json()[0]["client_id"]
            new = {"consumer": "acme", "grant_types": ["client_credentials"], "scope": "shipments:read"}
            owners = itertools.count()

            def patch(
                path: str = f"/admin/clients/{first}",
                owners: Iterator[int] = owners,
                ask: Callable[..., httpx.Response] = ask,
            ) -> httpx.Response:
                return ask("PATCH", path, json=[{"op": "add", "path": "/owner", "value": str(next(owners))}])

            for name, send in {
                "list of 50": lambda: ask("GET", "/admin/clients?page_size=50"),
                "register": lambda: ask("POST", "/admin/clients", json=new),  # noqa: B023
                "patch": patch,
            }.items():
                p50, p99 = measure(send)
                print(f"{who + ': ' + name:<28}{p50:9.1f}{p99:9.1f}")


if __name__ == "__main__":
    main()
