"""A primary that is killed and a standby that is promoted: when writes work again, and which are missing."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

import httpx

from drills import kills, postgres
from drills.kills import Doors
from drills.site import URL, site

PORTS = 7731, 7732
BEFORE, NOTICED, AFTER = 10.0, 3.0, 10.0  # seconds of writes; until somebody promotes the standby; of writes again


def drill(*, synchronous: bool) -> list[str]:
    """Return what was seen and kept. Raises CannotRun where it cannot run."""
    with postgres.folder() as place, ExitStack() as stack:
        primary, standby = (
            postgres.Cluster(place / name, place / f"{name}.log", port)
            for name, port in zip(("primary", "standby"), PORTS, strict=True)
        )
        primary.create()
        stack.enter_context(postgres.running(primary))
        standby.copy(primary)
        stack.enter_context(postgres.running(standby))
        if synchronous:  # once there is one, and where the standby has no part of it
            primary.stop()
            primary.start(["synchronous_standby_names=standby"])
        wait_until(lambda: bool(primary.ask("SELECT FROM pg_stat_replication WHERE state = 'streaming'")))
        hosts = ",".join(f"127.0.0.1:{port}" for port in PORTS)
        url = f"postgresql://clientdesk@{hosts}/postgres?target_session_attrs=read-write"
        its = stack.enter_context(site(DATABASE_URL=url))
        with its.serving():
            doors = Doors(URL, its.demo)
            with kills.writing(doors):
                watch = Watch(its.demo["operator_token"])
                time.sleep(BEFORE)
                primary.kill()
                killed = time.monotonic()
                time.sleep(NOTICED)
                standby.promote()
                promoted = time.monotonic()
                time.sleep(AFTER)
                watch.stop()
            its.require_invariants()
            broken = doors.broken(URL)
    back = watch.first_after(killed)
    return [
        f"The primary was killed under writes, and the standby promoted {promoted - killed:.1f} s later. Writes worked",
        f"again {back - promoted:.1f} s after that; the slowest answer to one took {watch.slowest:.1f} s.",
        f"{doors.unanswered} writes had no answer, or 503. Of what was acknowledged, before and after:",
        "",
        *kills.promises({"": doors}, {"": broken}),
    ]


class Watch:
    """Writes, one after the other, and notes when each was done."""

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}
        self.done: list[float] = []
        self.slowest = 0.0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.write)
        self.thread.start()

    def write(self) -> None:
        wanted = {"consumer": "acme", "client_name": "Watch", "grant_types": ["client_credentials"]}
        with httpx.Client(base_url=URL, timeout=60, headers=self.headers) as http:
            while not self.is_over.wait(0.1):
                sent = time.monotonic()
                made = http.post("/admin/clients", json=wanted | {"scope": "shipments:read"})
                self.slowest = max(self.slowest, time.monotonic() - sent)
                if made.status_code == 201:
                    self.done.append(time.monotonic())
                else:
                    assert made.status_code in (429, 503), made.text
                    assert made.headers["Retry-After"]

    def stop(self) -> None:
        self.is_over.set()
        self.thread.join()

    def first_after(self, moment: float) -> float:
        """Return when the first write was done that began after the moment, or nearly."""
        return next(at for at in self.done if at > moment + 0.5)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
