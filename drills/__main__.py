"""Runs every drill, and writes what was measured into docs/resilience.md: `uv run python -m drills [SECONDS]`."""

import asyncio
import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.harness import ROOT, running
from benchmarks.servers import data_folder, manage_in, python
from drills import database, hostile_load
from drills.hostile_load import Target, percentile

PORT = "7711"
PAGE = ROOT / "docs" / "resilience.md"
FAULTS = {
    "PostgreSQL stopped (`SIGSTOP`)": database.frozen,
    "three tables locked": database.locked,
    "PostgreSQL killed, and started again": database.killed,
}


def main(seconds: float) -> None:
    with ExitStack() as stack:
        data = stack.enter_context(data_folder())
        demo: dict[str, Any] = json.loads(manage_in(ROOT, data, "demo", "--json"))
        command = [python(ROOT), "manage.py", "serve", "--workers", "2", "--port", PORT]
        server = stack.enter_context(
            running(command, f"http://127.0.0.1:{PORT}/health/ready", ROOT, DATA_DIR=str(data), FAILURES_PER_MINUTE="0")
        )
        service = demo["clients"]["service"]
        target = Target(
            f"http://127.0.0.1:{PORT}", demo["operator_token"], (service["client_id"], service["client_secret"])
        )
        text = hostile(target, seconds, server)
        require_invariants(data)
        text += faults(target, data)
    PAGE.write_text(PAGE.read_text().partition(MARK)[0] + MARK + "\n" + text)


MARK = "<!-- What follows is written by `uv run python -m drills`. -->"


def hostile(target: Target, seconds: float, server: Any) -> str:
    calm = asyncio.run(hostile_load.honest(target, 10))
    before = memory(server)
    loaded = asyncio.run(hostile_load.under_load(target, seconds, hostile_load.kinds(target.token)))
    after = memory(server)
    each, count, addresses = hostile_load.EACH, len(hostile_load.kinds("")), hostile_load.ADDRESSES
    lines = [
        "",
        "## Hostile connections",
        "",
        f"{each} connections of each of {count} kinds, from {addresses} addresses, for {seconds:.0f} s, beside an",
        "honest client; milliseconds.",
        "",
        "| | p50, calm | p99, calm | p50, under load | p99, under load |",
        "|---|---|---|---|---|",
    ]
    for name, took in calm.items():
        figures = [percentile(values, share) * 1000 for values in (took, loaded[name]) for share in (0.5, 0.99)]
        lines.append(f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")
    lines += ["", f"The server's memory: {before:.0f} MiB before, {after:.0f} MiB at the end.", "", ""]
    return "\n".join(lines)


def require_invariants(data: Path) -> None:
    """Stop with the rows that must not be, where the drill has left some. Raises CalledProcessError."""
    manage_in(ROOT, data, "check_invariants")


def memory(server: Any) -> float:
    """Return the proportional set size of the server and its processes: MiB."""
    processes = [server, *server.children(recursive=True)]
    return float(sum(process.memory_full_info().pss for process in processes) / 2**20)


def faults(target: Target, data: Path) -> str:
    lines = ["## Faults of the database", ""]
    for name, fault in FAULTS.items():
        seen = asyncio.run(database.drill(target, data, fault, 12))
        require_invariants(data)
        lines += [
            f"### {name.capitalize() if name[0].islower() else name}",
            "",
            "| | slowest answer | answers after two seconds | back after |",
            "|---|---|---|---|",
        ]
        for what, each in seen.items():
            statuses = ", ".join(str(status) if status else "none" for status in sorted(each.statuses))
            lines.append(f"| {what} | {each.slowest:.2f} s | {statuses} | {each.back_after:.2f} s |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60)
