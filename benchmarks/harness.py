"""How servers are driven side by side: in turns, with server and database on one core and the load on the other.

The unit is requests per CPU-second of server and database, which a busy machine changes least. It needs two cores and
wrk. CONNECTIONS=16 and ROUND_SECONDS=3 make a run shorter.
"""

import base64
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
LOADS = ROOT / "benchmarks" / "loads"
CONNECTIONS = tuple(int(each) for each in os.environ.get("CONNECTIONS", "1,16,64").split(","))
WARM_SECONDS, ROUND_SECONDS, ROUNDS = 8, int(os.environ.get("ROUND_SECONDS", "5")), 3
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Sent:
    """A request of the load: nothing as its body makes it GET."""

    body: str
    basic: str = field(repr=False)

    @property
    def line(self) -> str:
        return f"{self.basic}\t{self.body}\n"


@dataclass
class Target:
    """A server under load: what it is sent, again and again, and the processes whose time counts."""

    name: str
    url: str
    basic: str = field(repr=False)
    processes: list[psutil.Process]
    body: str = ""
    most_connections: int = 1000  # a server may be too slow for more,
    least_seconds: int = 0  # and for shorter rounds

    load = "same.lua"

    def requests(self, connections: int, seconds: int) -> Sequence[Sent]:
        """Return what a round of so many seconds sends."""
        return [Sent(self.body, self.basic)]

    def was_sent(self, count: int) -> None:
        """Hear how many requests of a round were sent."""

    def cpu_seconds(self) -> float:
        """Return the CPU time that the server and its database have used until now."""
        total = 0.0
        for top in self.processes:
            for process in [top, *top.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):  # it has just ended
                    used = process.cpu_times()
                    # Processes that have ended count for their parent: PostgreSQL has one for each connection.
                    total += used.user + used.system + used.children_user + used.children_system
        return total

    def memory_mib(self) -> float:
        """Return the largest process's proportional set size."""
        processes = [self.processes[0], *self.processes[0].children(recursive=True)]
        return float(max(process.memory_full_info().pss for process in processes) / 2**20)


@dataclass(frozen=True)
class Measured:
    per_cpu_second: float
    per_second: float
    p50_ms: float
    p99_ms: float


# -- Servers ----------------------------------------------------------------------------------------------------------


@contextmanager
def running(command: Sequence[str], ready: str, folder: Path = ROOT, /, **environ: str) -> Iterator[psutil.Process]:
    """Run a server on the first core until the end of the block; `ready` is an address that answers when it is."""
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command],
        cwd=folder,
        env=os.environ | environ,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for(ready, process)
        yield psutil.Process(process.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with suppress(httpx.TransportError):
            if httpx.get(url).status_code < 500:
                return
        time.sleep(0.1)
    raise TimeoutError(url)


def run(command: Sequence[str], folder: Path = ROOT, /, **environ: str) -> str:
    """Run a command to its end and return what it printed."""
    done = subprocess.run(command, cwd=folder, env=os.environ | environ, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def basic(client_id: str, secret: str) -> str:
    return base64.b64encode(f"{client_id}:{secret}".encode()).decode()


# -- Load -------------------------------------------------------------------------------------------------------------


def drive(target: Target, connections: int, seconds: int) -> Measured:
    """Send requests from the second core for so long."""
    connections, seconds = min(connections, target.most_connections), max(seconds, target.least_seconds)
    with tempfile.NamedTemporaryFile("w") as requests:
        requests.writelines(sent.line for sent in target.requests(connections, seconds))
        requests.flush()
        command = f"taskset -c 1 wrk -t1 -c{connections} -d{seconds}s --latency --timeout 10s".split()
        before = target.cpu_seconds()
        out = run([*command, "-s", str(LOADS / target.load), target.url, "--", requests.name])
        settle(target)
        used = target.cpu_seconds() - before
    if "Non-2xx" in out:
        raise RuntimeError(f"{target.name} refused requests:\n{out}")
    count = int(found(r"(\d+) requests in", out))
    target.was_sent(count + connections + 1)  # with those that had no answer yet, and the one that wrk reads beforehand
    p50, p99 = (milliseconds(found(rf"^\s+{share}%\s+(\S+)", out)) for share in (50, 99))
    return Measured(count / used, count / seconds, p50, p99)


def settle(target: Target) -> None:
    """Wait until the server has dealt with what was under way, so that it disturbs nobody's turn; 20 s at most."""
    for _ in range(100):
        before = target.cpu_seconds()
        time.sleep(0.2)
        if target.cpu_seconds() - before < 0.1:
            return


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise ValueError(f"{pattern} is not in:\n{text}")
    return str(match[1])


def milliseconds(text: str) -> float:
    number, unit = found(r"^([\d.]+)", text), found(r"([a-z]+)$", text)
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def compare(targets: Sequence[Target], each_connections: Sequence[int] = CONNECTIONS) -> None:
    """Warm all, drive them in turns, and print the medians and what each is worth beside the first.

    The ratio is the median of those within a turn, for the machine is busier in one turn than in another.
    """
    for target in targets:
        drive(target, 16, WARM_SECONDS)
    width = max(len(target.name) for target in targets)
    print(f"{'connections':>11}  {'server':<{width}} {'req/cpu-s':>9} {'req/s':>7} {'p50 ms':>8} {'p99 ms':>8}  ratio")
    done: set[tuple[str, int]] = set()
    for connections in each_connections:
        ways = {target.name: min(connections, target.most_connections) for target in targets}
        turns = [target for target in targets if (target.name, ways[target.name]) not in done]
        done |= set(ways.items())
        rounds: dict[str, list[Measured]] = {target.name: [] for target in turns}
        for _ in range(ROUNDS):
            for target in turns:
                rounds[target.name].append(drive(target, connections, ROUND_SECONDS))
        first = rounds[targets[0].name]
        for name, measured in rounds.items():
            middle = sorted(measured, key=lambda each: each.per_cpu_second)[len(measured) // 2]
            pairs = zip(measured, first, strict=True)
            ratio = statistics.median(mine.per_cpu_second / its.per_cpu_second for mine, its in pairs)
            print(
                f"{ways[name]:>11}  {name:<{width}} {figure(middle.per_cpu_second):>9} {figure(middle.per_second):>7} "
                f"{middle.p50_ms:>8.1f} {middle.p99_ms:>8.1f}  {ratio:.3g}",
                flush=True,
            )


def figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}"
