"""Clientdesk's token endpoint beside oidc-provider's, in one run: requests per CPU-second of server and database.

Run it with `uv run python -m benchmarks.token_endpoint [ES256|RS256]`; it needs two cores, wrk and Node. Server and
database share the first core, the load comes from the second. Absolute figures move by a fifth between runs on a
shared machine: trust the ratios of one run. CONNECTIONS=16 and ROUND_SECONDS=3 make it shorter.
"""

import base64
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / "benchmarks" / "oidc-provider"
CONNECTIONS = tuple(int(each) for each in os.environ.get("CONNECTIONS", "1,16,64").split(","))
WARM_SECONDS, ROUND_SECONDS, ROUNDS = 8, int(os.environ.get("ROUND_SECONDS", "6")), 3
BODY = "grant_type=client_credentials&scope=shipments%3Aread"


@dataclass
class Target:
    name: str
    url: str
    basic: str = field(repr=False)
    processes: list[psutil.Process]
    body: str = BODY  # nothing makes it GET

    def cpu_seconds(self) -> float:
        """Return the CPU time that the server and its database have used until now."""
        total = 0.0
        for top in self.processes:
            for process in [top, *top.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):  # a helper of PostgreSQL that has just ended
                    times = process.cpu_times()
                    total += times.user + times.system
        return total


@dataclass(frozen=True)
class Measured:
    per_cpu_second: float
    per_second: float
    p50_ms: float
    p99_ms: float


@contextmanager
def running(command: list[str], ready: str, **environ: str) -> Iterator[psutil.Process]:
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command],
        cwd=ROOT,
        env=os.environ | environ,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(300):
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}")
            try:
                if httpx.get(ready).status_code < 500:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


@contextmanager
def clientdesk(algorithm: str) -> Iterator[Target]:
    """Serve the demo with one worker, on an embedded database of its own, born on the same core."""
    with tempfile.TemporaryDirectory() as data:
        environ = {"DATA_DIR": data, "PORT": "7702"}
        service = json.loads(manage(environ, "demo", "--json"))["clients"]["service"]
        manage(environ, "shell", "--command", f"Api.objects.update(signing_algorithm={algorithm!r})")
        command = [sys.executable, "manage.py", "serve", "--workers", "1", "--no-work"]
        with running(command, "http://127.0.0.1:7702/health/ready", **environ) as server:
            postmaster = int((Path(data) / "postgres" / "postmaster.pid").read_text().split()[0])
            yield Target(
                "Clientdesk",
                "http://127.0.0.1:7702/oauth2/token",
                basic(service["client_id"], service["client_secret"]),
                [server, psutil.Process(postmaster)],
            )


def manage(environ: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environ, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


@contextmanager
def oidc_provider(algorithm: str, **environ: str) -> Iterator[Target]:
    if not (PEER / "node_modules").exists():
        subprocess.run(["npm", "ci", "--silent"], cwd=PEER, check=True)
    secret = "a-secret-of-the-benchmark-alone"
    with running(
        ["node", str(PEER / "server.mjs")],
        "http://127.0.0.1:7701/jwks",
        PORT="7701",
        ALGORITHM=algorithm,
        CLIENT_SECRET=secret,
        NODE_ENV="production",
        **environ,
    ) as server:
        yield Target("oidc-provider", "http://127.0.0.1:7701/token", basic("benchmark", secret), [server])


def basic(client_id: str, secret: str) -> str:
    return base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def load(target: Target, connections: int, seconds: int) -> Measured:
    """Drive the endpoint from the second core."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(
            f'wrk.method = "{"POST" if target.body else "GET"}"\nwrk.body = "{target.body}"\n'
            f'wrk.headers["Authorization"] = "Basic {target.basic}"\n'
            'wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"\n'
        )
        script.flush()
        before = target.cpu_seconds()
        command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s"]
        out = subprocess.run([*command, script.name, target.url], check=True, capture_output=True, text=True).stdout
        used = target.cpu_seconds() - before
    if "Non-2xx" in out:
        raise RuntimeError(out)
    requests = int(re.search(r"(\d+) requests in", out)[1])
    p50, p99 = (milliseconds(re.search(rf"^\s+{share}%\s+(\S+)", out, re.MULTILINE)[1]) for share in (50, 99))
    return Measured(requests / used, requests / seconds, p50, p99)


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def memory_mib(target: Target) -> float:
    """Return the largest process's proportional set size."""
    processes = [target.processes[0], *target.processes[0].children(recursive=True)]
    return max(process.memory_full_info().pss for process in processes) / 2**20


def compare(targets: list[Target], each_connections: tuple[int, ...] = CONNECTIONS) -> None:
    """Warm both, drive them in turns, print the medians and what the second is worth beside the first."""
    for target in targets:
        load(target, 16, WARM_SECONDS)
    print(f"{'connections':>11}  {'server':<14} {'req/cpu-s':>9} {'req/s':>7} {'p50 ms':>7} {'p99 ms':>7}")
    for connections in each_connections:
        rounds: dict[str, list[Measured]] = {target.name: [] for target in targets}
        for _ in range(ROUNDS):
            for target in targets:
                rounds[target.name].append(load(target, connections, ROUND_SECONDS))
        medians = {}
        for name, measured in rounds.items():
            middle = sorted(measured, key=lambda each: each.per_cpu_second)[len(measured) // 2]
            medians[name] = statistics.median(each.per_cpu_second for each in measured)
            print(
                f"{connections:>11}  {name:<14} {middle.per_cpu_second:>9,.0f} {middle.per_second:>7,.0f} "
                f"{middle.p50_ms:>7.1f} {middle.p99_ms:>7.1f}"
            )
        peer, ours = medians.values()
        print(f"{'':>11}  ratio {ours / peer:.2f}", flush=True)


def main() -> None:
    algorithm = sys.argv[1] if len(sys.argv) > 1 else "ES256"
    with ExitStack() as stack:
        targets = [stack.enter_context(serve(algorithm)) for serve in (oidc_provider, clientdesk)]
        print(f"client_credentials, {algorithm}, JWT access tokens")
        compare(targets)
        for target in targets:
            print(f"{target.name}: {memory_mib(target):.0f} MiB in its largest process")


if __name__ == "__main__":
    main()
