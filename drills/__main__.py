"""Runs drills, and writes what was measured into docs/resilience.md: `uv run python -m drills [NAMES]`.

Each drill has a server and a database of its own, and ends with `manage.py check_invariants`.
"""

import argparse
import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.harness import ROOT, running
from benchmarks.servers import data_folder, manage_in, python
from drills import database, hostile_load, kills, migrations, versions
from drills.hostile_load import Target, percentile

PORT = "7711"
URL = f"http://127.0.0.1:{PORT}"
PAGE = ROOT / "docs" / "resilience.md"
MARK = "<!-- What follows is written by `uv run python -m drills`. -->"
FAULTS = {
    "PostgreSQL stopped (`SIGSTOP`)": database.frozen,
    "Three tables locked": database.locked,
    "PostgreSQL killed, and started again": database.killed,
}


@dataclass
class Site:
    """The demo in a folder of its own, on a PostgreSQL of its own."""

    data: Path
    demo: dict[str, Any]

    @property
    def target(self) -> Target:
        service = self.demo["clients"]["service"]
        return Target(URL, self.demo["operator_token"], (service["client_id"], service["client_secret"]))

    @contextmanager
    def serving(self) -> Iterator[psutil.Process]:
        command = [python(ROOT), "manage.py", "serve", "--workers", "2", "--port", PORT]
        environ = {"DATA_DIR": str(self.data), "FAILURES_PER_MINUTE": "0"}
        with running(command, f"{URL}/health/ready", ROOT, PORT=PORT, **environ) as server:
            yield server

    def require_invariants(self) -> None:
        """Stop with the rows that must not be, where the drill has left some. Raises CalledProcessError."""
        manage_in(ROOT, self.data, "check_invariants")


@contextmanager
def site() -> Iterator[Site]:
    with data_folder() as data:
        yield Site(data, json.loads(manage_in(ROOT, data, "demo", "--json")))


def hostile(seconds: float) -> list[str]:
    with site() as its, its.serving() as server:
        calm = asyncio.run(hostile_load.honest(its.target, 10))
        before = memory(server)
        loaded = asyncio.run(hostile_load.under_load(its.target, seconds, hostile_load.kinds(its.target.token)))
        after = memory(server)
        its.require_invariants()
    each, count, addresses = hostile_load.EACH, len(hostile_load.kinds("")), hostile_load.ADDRESSES
    lines = [
        f"{each} connections of each of {count} kinds, from {addresses} addresses, for {seconds:.0f} s, beside an",
        "honest client; milliseconds.",
        "",
        "| | p50, calm | p99, calm | p50, under load | p99, under load |",
        "|---|---|---|---|---|",
    ]
    for name, took in calm.items():
        figures = [percentile(values, share) * 1000 for values in (took, loaded[name]) for share in (0.5, 0.99)]
        lines.append(f"| {name} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")
    return [*lines, "", f"The server's memory: {before:.0f} MiB before, {after:.0f} MiB at the end."]


def memory(server: psutil.Process) -> float:
    """Return the proportional set size of the server and its processes: MiB."""
    processes = [server, *server.children(recursive=True)]
    return float(sum(process.memory_full_info().pss for process in processes) / 2**20)


def faults(seconds: float) -> list[str]:
    lines: list[str] = []
    with site() as its, its.serving():
        for name, fault in FAULTS.items():
            seen = asyncio.run(database.drill(its.target, its.data, fault, seconds))
            its.require_invariants()
            lines += [
                f"### {name}",
                "",
                "| | slowest answer | answers after two seconds | back after |",
                "|---|---|---|---|",
            ]
            for what, each in seen.items():
                statuses = ", ".join(str(status) if status else "none" for status in sorted(each.statuses))
                lines.append(f"| {what} | {each.slowest:.2f} s | {statuses} | {each.back_after:.2f} s |")
            lines.append("")
    return lines


def killed(count: int) -> list[str]:
    with site() as its:

        @contextmanager
        def start() -> Iterator[int]:
            with its.serving() as server:
                yield server.pid

        doors = kills.drill(start, URL, its.demo, count)
        its.require_invariants()
        with its.serving():
            broken = doors.broken(URL)
    return [
        f"{doors.kills} kills (`SIGKILL`) of web processes and of the server, at random moments of writes by every",
        f"door. {doors.unanswered} requests had no answer, or 503. Of what was acknowledged, afterwards:",
        "",
        *promises({"": doors}, {"": broken}),
    ]


def promises(doors: dict[str, kills.Doors], broken: dict[str, Any]) -> list[str]:
    lines = ["| written by | acknowledged | lost |", "|---|---|---|"]
    for name, each in doors.items():
        for door, count in each.promised.items():
            lines.append(f"| {f'{name}: {door}' if name else door} | {count} | {broken[name][door]} |")
    refused = {f"{name} {text}".strip(): count for name, each in doors.items() for text, count in each.refused.items()}
    return lines + [line for text, count in refused.items() for line in ("", f"Refused {count} times: `{text}`.")]


def migrated() -> list[str]:
    with data_folder() as killed_data, data_folder() as clean_data:
        hurt = {"DATA_DIR": str(killed_data)}
        manage_in(ROOT, clean_data, "migrate", "--verbosity", "0")
        count = migrations.killed_again_and_again(hurt)
        with migrations.migrating(hurt) as process:
            ended = [process.wait(), *migrations.two_at_once(hurt)]
        databases = [migrations.schema_of(each) for each in (clean_data, killed_data)]
        manage_in(ROOT, killed_data, "check_invariants")
    assert ended == [0, 0, 0], ended
    differences = databases[0] ^ databases[1]
    return [
        f"`migrate` was killed {count} times in its middle, until one ended; then two ran at once. Of the",
        f"{len(databases[0])} columns, constraints, indexes, triggers and functions of a clean run, {len(differences)}",
        "differ.",
    ]


def beside() -> list[str]:
    try:
        doors, broken = versions.side_by_side()
    except LookupError as reason:
        return [f"Not run: {reason}."]
    return [
        f"The commit {versions.BEFORE} serves while `migrate` runs, and beside this version afterwards. What one has",
        "acknowledged is asked of the other.",
        "",
        *promises(doors, broken),
    ]


def write(title: str, lines: list[str]) -> None:
    """Put a section into the page, in the place of the one that it had."""
    head, _, rest = PAGE.read_text().partition(MARK)
    sections = dict(part.partition("\n")[::2] for part in ("\n" + rest).split("\n## ")[1:])
    sections[title] = "\n" + "\n".join(lines)
    order = [each for each, _ in DRILLS.values()]
    known = {name: text for name, text in sections.items() if name in order}
    written = "".join(f"\n## {name}\n\n{known[name].strip()}\n" for name in sorted(known, key=order.index))
    PAGE.write_text(f"{head}{MARK}\n{written}")


# -- The command ------------------------------------------------------------------------------------------------------

type Drill = Callable[[], list[str]]
DRILLS: dict[str, tuple[str, Drill]] = {}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m drills", description="Run drills and write docs/resilience.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run; all, if none is named")
    parser.add_argument("--seconds", type=float, default=600, help="how long the hostile load lasts")
    parser.add_argument("--kills", type=int, default=200, help="how many processes are killed")
    asked = parser.parse_args()
    logging.disable(logging.INFO)
    DRILLS.update(
        hostile=("Hostile connections", partial(hostile, asked.seconds)),
        faults=("Faults of the database", partial(faults, 12)),
        kills=("Kills", partial(killed, asked.kills)),
        migrations=("Migrations", migrated),
        versions=("Two versions side by side", beside),
    )
    if unknown := set(asked.names) - DRILLS.keys():
        parser.error(f"no drill is called {', '.join(sorted(unknown))}; there are {', '.join(DRILLS)}")
    for name in asked.names or DRILLS:
        title, drill = DRILLS[name]
        print(title, flush=True)
        write(title, drill())


if __name__ == "__main__":
    main()
