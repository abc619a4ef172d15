"""How long from the command to the first token? With embedded PostgreSQL running, and bytecode compiled, already.

Run it with `uv run python -m benchmarks.cold_start [CHECKOUT]`. Each round starts `manage.py serve --workers 1
--no-work` on the first core, and asks for a token, by a secret, again and again until one comes. The first round
compiles, and is not counted. Another checkout, on which `uv sync` ran, takes turns with this one.
"""

import os
import signal
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psutil

from benchmarks.harness import FORM, ROOT, basic
from benchmarks.servers import BODY, data_folder, demo, python
from portal.demo import postgres

PORT, ROUNDS = "7709", int(os.environ.get("ROUNDS", "7"))
PAUSE = 0.005  # seconds between attempts


def cold_start(checkout: Path, environ: dict[str, str], authorization: dict[str, str]) -> tuple[float, float]:
    """Return the seconds until the first token, and the CPU seconds that the processes took by then."""
    begun = time.perf_counter()
    command = ["taskset", "-c", "0", python(checkout), "manage.py", "serve", "--workers", "1", "--no-work"]
    server = subprocess.Popen(command, cwd=checkout, env=os.environ | environ, start_new_session=True)
    try:
        while True:
            with suppress(httpx.TransportError):
                answer = httpx.post(f"http://127.0.0.1:{PORT}/oauth2/token", content=BODY, headers=authorization)
                if answer.status_code == 200:
                    break
            if server.poll() is not None:
                raise RuntimeError(f"the server ended with {server.returncode}")
            time.sleep(PAUSE)
        taken = time.perf_counter() - begun
        top = psutil.Process(server.pid)
        times = [each.cpu_times() for each in (top, *top.children(recursive=True))]
        return taken, sum(each.user + each.system for each in times)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def main() -> None:
    checkouts = [ROOT, *(Path(each).resolve() for each in sys.argv[1:])]
    rounds: dict[Path, list[tuple[float, float]]] = {checkout: [] for checkout in checkouts}
    with ExitStack() as stack:
        prepared = []
        for checkout in checkouts:
            data = stack.enter_context(data_folder())
            bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(data / "bytecode")}
            service = demo(data, checkout)["service"]
            secret = basic(service["client_id"], service["client_secret"])
            postgres.database_url(data)  # this process holds it from now on
            environ = {"DATA_DIR": str(data), "PORT": PORT, **bytecode}
            prepared.append((checkout, environ, {"Authorization": f"Basic {secret}", **FORM}))
        for _ in range(ROUNDS + 1):
            for each in prepared:
                rounds[each[0]].append(cold_start(*each))
    for checkout in checkouts:
        taken, cpu = zip(*rounds[checkout][1:], strict=True)
        print(f"{checkout.name}: first token after {statistics.median(taken):.2f} s (best {min(taken):.2f}),", end=" ")
        print(f"{statistics.median(cpu):.2f} CPU seconds (best {min(cpu):.2f})")


if __name__ == "__main__":
    main()
