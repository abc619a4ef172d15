"""A network between server and database that swallows, delays, half-opens or breaks connections."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from drills import database, kills, postgres
from drills.kills import Doors
from drills.site import URL, site
from tests.network import Network

PORT = 7731


@contextmanager
def swallowed(network: Network) -> Iterator[None]:
    """Lose the connections that there are; new ones work."""
    network.lose_all()
    yield


@contextmanager
def half_open(network: Network) -> Iterator[None]:
    """Lose the connections that there are, and take new ones without an answer, until the block ends."""
    network.loses_new = True
    network.lose_all()
    try:
        yield
    finally:
        network.loses_new = False


def delayed(seconds: float) -> Callable[[Network], AbstractContextManager[None]]:
    @contextmanager
    def delay(network: Network) -> Iterator[None]:
        network.delay = seconds
        try:
            yield
        finally:
            network.delay = 0.0

    return delay


@contextmanager
def cut(network: Network) -> Iterator[None]:
    """Break every connection four times a second (RST), whatever it is about."""
    over = threading.Event()

    def keep_breaking() -> None:
        while not over.wait(0.25):
            network.break_all()

    breaker = threading.Thread(target=keep_breaking)
    breaker.start()
    try:
        yield
    finally:
        over.set()
        breaker.join()


FAULTS = {
    "Connections lost in silence, while new ones work": (swallowed, 4),
    "Connections lost in silence, and new ones accepted and never answered": (half_open, 12),
    "Every packet a tenth of a second late": (delayed(0.1), 12),
    "Every packet three seconds late": (delayed(3), 12),
    "Every connection broken four times a second": (cut, 12),
}


def drill() -> list[str]:
    """Return what was seen and kept. Raises CannotRun where it cannot run."""
    lines: list[str] = []
    with postgres.folder() as place:
        cluster = postgres.Cluster(place / "data", place / "log", PORT)
        cluster.create()
        with postgres.running(cluster), site(DATABASE_URL=cluster.url) as its:
            network = Network(("127.0.0.1", PORT))
            with its.serving(DATABASE_URL=cluster.url.replace(f":{PORT}", f":{network.port}")):
                doors = Doors(URL, its.demo)
                for name, (fault, seconds) in FAULTS.items():
                    with kills.writing(doors):
                        seen = asyncio.run(database.drill(its.target, fault(network), seconds, after=12))
                    its.require_invariants()
                    lines += [f"### {name}", "", *database.table(seen), ""]
                broken = doors.broken(URL)
            network.close()
    lines += [f"{doors.unanswered} writes had no answer, or 503. Of what was acknowledged:", ""]
    return [*lines, *kills.promises({"": doors}, {"": broken})]
