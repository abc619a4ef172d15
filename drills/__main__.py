"""Runs drills, and writes what was measured into docs/resilience.md: `uv run python -m drills [NAMES]`.

Each drill has a server and a database of its own, and ends with `manage.py check_invariants`.
"""

import argparse
import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import psutil

from benchmarks.harness import ROOT
from benchmarks.servers import data_folder, manage_in
from drills import bad_network, database, failover, full_disk, hostile_load, kills, migrations, other_servers, versions
from drills.hostile_load import percentile
from drills.site import URL, CannotRun, site

PAGE = ROOT / "docs" / "resilience.md"
MARK = "<!-- What follows is written by `uv run python -m drills`. -->"
FAULTS = {
    "PostgreSQL stopped (`SIGSTOP`)": database.frozen,
    "Three tables locked": database.locked,
    "PostgreSQL killed, and started again": database.killed,
}


def hostile(seconds: float) -> list[str]:
    with site() as its, its.serving() as server:
        calm = asyncio.run(hostile_load.honest(its.target, 10))
        before = memory(server)
        with sampled(server, seconds / 20) as samples:
            loaded = asyncio.run(hostile_load.under_load(its.target, seconds, hostile_load.kinds(its.target.token)))
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
    size = len(samples) // 4
    quarters = [max(samples[number * size : (number + 1) * size]) for number in range(4)]
    most = ", ".join(f"{each:.0f}" for each in quarters)
    return [
        *lines,
        "",
        f"The server's memory, in MiB: {before:.0f} before; at most {most} in the quarters of the load.",
    ]


@contextmanager
def sampled(server: psutil.Process, interval: float) -> Iterator[list[float]]:
    """Yield a list that grows by the server's memory now and then, until the end of the block."""
    over, samples = threading.Event(), list[float]()

    def sample() -> None:
        while not over.wait(interval):
            samples.append(memory(server))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield samples
    finally:
        over.set()
        sampler.join()


def memory(server: psutil.Process) -> float:
    """Return the proportional set size of the server and its processes: MiB."""
    processes = [server, *server.children(recursive=True)]
    return float(sum(process.memory_full_info().pss for process in processes) / 2**20)


def faults(seconds: float) -> list[str]:
    lines: list[str] = []
    with site() as its, its.serving():
        for name, fault in FAULTS.items():
            seen = asyncio.run(database.drill(its.target, fault(its.data), seconds))
            its.require_invariants()
            lines += [f"### {name}", "", *database.table(seen), ""]
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
        *kills.promises({"": doors}, {"": broken}),
    ]


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
    doors, broken = versions.side_by_side()
    return [
        f"The commit {versions.BEFORE} serves while `migrate` runs, and beside this version afterwards. What one has",
        "acknowledged is asked of the other.",
        "",
        *kills.promises(doors, broken),
    ]


def filled() -> list[str]:
    return [
        f"A disk of {full_disk.SIZE} MiB is full for 20 s: all but a quarter of a MiB at once, the rest by writes.",
        "Then there is room again.",
        "",
        "### The disk of the data",
        "",
        *full_disk.drill(20, is_of_log=False),
        "",
        "### The disk of the write-ahead log",
        "",
        *full_disk.drill(20, is_of_log=True),
    ]


def failing_over() -> list[str]:
    return [
        "`DATABASE_URL` names both servers, with `target_session_attrs=read-write`.",
        "",
        "### Asynchronous replication",
        "",
        *failover.drill(synchronous=False),
        "",
        "What a primary has acknowledged and its standby not received yet is lost with the primary: asynchronous",
        "replication promises no more. Whoever may lose nothing sets `synchronous_standby_names`, as below.",
        "",
        "### Synchronous replication",
        "",
        *failover.drill(synchronous=True),
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
        disk=("A full disk", filled),
        network=("A bad network to the database", bad_network.drill),
        failover=("Failing over", failing_over),
        redis=("Redis away", partial(other_servers.redis_drill, 12)),
        issuers=("Trusted issuers that are dead, slow or lie", partial(other_servers.issuer_drill, 12)),
    )
    if unknown := set(asked.names) - DRILLS.keys():
        parser.error(f"no drill is called {', '.join(sorted(unknown))}; there are {', '.join(DRILLS)}")
    for name in asked.names or DRILLS:
        title, drill = DRILLS[name]
        print(title, flush=True)
        try:
            write(title, drill())
        except CannotRun as reason:
            write(title, [f"Not run: {reason}."])


if __name__ == "__main__":
    main()
