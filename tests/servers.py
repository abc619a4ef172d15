"""Programs that answer HTTP: run until a test has done with them, at ports of their own."""

import itertools
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx

from portal.processes import end_with_parent

ROOT = Path(__file__).parent.parent


@contextmanager
def running(
    command: list[str], ready: str, environ: dict[str, str], cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends, from the moment that its address answers anything below 500."""
    dies_with_us = partial(end_with_parent, os.getpid())
    process = subprocess.Popen(command, cwd=cwd, env=environ, start_new_session=True, preexec_fn=dies_with_us)  # noqa: PLW1509
    try:
        wait_for(ready, process)
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # whatever it has started and left behind
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with status {process.returncode}; its words stand above.")
        try:
            if httpx.get(url, timeout=5).status_code < 500:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {seconds:.0f} seconds.")


# Below the ports that systems give to connections by themselves (Linux from 32768): a server takes its port seconds
# after we chose it, and nobody may have it by then. Each test process has a hundred of its own.
_ports = itertools.cycle(range(20_000 + os.getpid() % 100 * 100, 20_100 + os.getpid() % 100 * 100))


def free_port() -> int:
    """Return a port that nobody listens at, and that was not returned before."""
    for port in itertools.islice(_ports, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")
