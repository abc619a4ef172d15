"""A database that is stopped, locked or killed under a running server, and comes back."""

import asyncio
import contextlib
import math
import os
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from benchmarks.harness import ROOT
from benchmarks.servers import python
from drills.hostile_load import Target

type Request = dict[str, Any] | Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """What a client saw of one kind of request."""

    slowest: float  # seconds, of those sent during the fault
    statuses: set[int]  # during the fault, from two seconds on
    back_after: float  # seconds from the end of the fault until the last answer that was none, or 5xx


@contextlib.contextmanager
def frozen(data: Path) -> Iterator[None]:
    """Stop every process of PostgreSQL (SIGSTOP)."""
    processes = _processes(data)
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold what a migration holds of three tables."""
    with psycopg.connect(conninfo(data)) as connection:
        connection.execute("LOCK TABLE clients_client, consumers_user, django_session IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@contextlib.contextmanager
def killed(data: Path) -> Iterator[None]:
    """Kill PostgreSQL without a farewell (SIGQUIT), and start it again."""
    (postmaster, *_) = _processes(data)
    os.kill(postmaster.pid, signal.SIGQUIT)
    with contextlib.suppress(psutil.TimeoutExpired, psutil.NoSuchProcess):
        postmaster.wait(timeout=10)
    yield
    command = [python(ROOT), "manage.py", "check"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"DATA_DIR": str(data)}, check=True, stdout=subprocess.DEVNULL)


def conninfo(data: Path) -> str:
    """Return how to reach the embedded PostgreSQL of the folder."""
    return f"host={(data / 'postgres').resolve()} user=postgres dbname=postgres"


def _processes(data: Path) -> list[psutil.Process]:
    postmaster = psutil.Process(int((data / "postgres" / "postmaster.pid").read_text().split()[0]))
    return [postmaster, *postmaster.children(recursive=True)]


def table(seen: dict[str, Seen]) -> list[str]:
    """Return what was seen, as a table in Markdown."""
    lines = ["| | slowest answer | answers after two seconds | back after |", "|---|---|---|---|"]
    for what, each in seen.items():
        statuses = ", ".join(str(status) if status else "none" for status in sorted(each.statuses))
        lines.append(f"| {what} | {each.slowest:.2f} s | {statuses} | {each.back_after:.2f} s |")
    return lines


async def drill(
    target: Target,
    fault: contextlib.AbstractContextManager[Any],
    seconds: float,
    more: dict[str, tuple[int, Request]] | None = None,
    after: float = 5,
) -> dict[str, Seen]:
    """Return what several clients of each kind see of a fault that lasts so long, and of the seconds after it.

    `more` is what else they ask for: by name, how many of them, and what is sent or makes it.
    """
    bearer = {"headers": {"Authorization": f"Bearer {target.token}"}}
    asked: dict[str, tuple[int, Request]] = {
        "token": (2, target.token_request),
        "JWKS": (1, {"method": "GET", "url": "/.well-known/jwks.json"}),
        "liveness": (1, {"method": "GET", "url": "/health/alive"}),
        "readiness": (1, {"method": "GET", "url": "/health/ready"}),
        "page": (4, {"method": "GET", "url": "/", "headers": {"Cookie": "session=abcdefghijklmnopqrstuvwxyz012345"}}),
        "management API": (4, {"method": "GET", "url": "/admin/apis"} | bearer),
    } | (more or {})
    answers: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    ended = asyncio.Event()

    async def keep_asking(name: str, request: Request) -> None:
        async with httpx.AsyncClient(base_url=target.url, timeout=60) as client:
            while not ended.is_set():
                sent = time.monotonic()
                try:
                    answer = await client.request(**(request() if callable(request) else request))
                    status = answer.status_code
                    assert status != 503 or "Retry-After" in answer.headers, name
                except httpx.TransportError:
                    status = 0
                answers[name].append((sent, time.monotonic(), status))
                await asyncio.sleep(0.25)

    tasks = [asyncio.create_task(keep_asking(name, one)) for name, (count, one) in asked.items() for _ in range(count)]
    await asyncio.sleep(4)
    await asyncio.to_thread(fault.__enter__)
    begun = time.monotonic()
    await asyncio.sleep(seconds)
    await asyncio.to_thread(fault.__exit__, None, None, None)
    over = time.monotonic()
    await asyncio.sleep(after)
    ended.set()
    await asyncio.gather(*tasks)
    found = {}
    for name, each in answers.items():
        during = [one for one in each if begun <= one[0] < over]
        failed = [at - over for _, at, status in each if at > over and not 0 < status < 500]
        found[name] = Seen(
            max((at - sent for sent, at, _ in during), default=math.nan),
            {status for sent, _, status in during if sent > begun + 2},
            max([0.0, *failed]),
        )
    return found
