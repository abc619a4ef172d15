"""The threads in which a process runs Django, and the requests that wait for one."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from core.db import availability

logger = logging.getLogger(__name__)

THREADS = 4
# Seconds that a request waits for a thread: the first while all is well, the other while threads are being waited for,
# so that nobody is kept for longer than it takes to say so.
LONGEST_WAIT, SHORTEST_WAIT = 10.0, 0.4
STRESS = 2.0  # seconds since the last response that said so
BUDGET = 30.0  # seconds that a job may take; then the statement that it waits for is broken off


@dataclass(slots=True, eq=False)
class Job:
    """Something to be run in a thread, and what to do when no thread has become free in time."""

    run: Callable[[], None]
    refuse: Callable[[], None] | None
    since: float  # when it was submitted, on time.monotonic()


class Threads:
    """A few threads, and a queue before them."""

    def __init__(self, call_in_loop: Callable[[Callable[[], None]], object], number: int = THREADS) -> None:
        self.call_in_loop = call_in_loop
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.waiting: dict[Job, None] = {}  # in the order of arrival
        self.running: dict[int, float] = {}  # since when each thread has been at its job
        self.stressed_until = 0.0
        self.threads = [threading.Thread(target=self._work, name=f"request-{n}", daemon=True) for n in range(number)]
        for thread in self.threads:
            thread.start()

    def submit(self, run: Callable[[], None], refuse: Callable[[], None] | None = None) -> None:
        """Run it in a thread. `refuse` is called in the event loop instead when none has become free in time."""
        job = Job(run, refuse, time.monotonic())
        self.waiting[job] = None
        self.jobs.put(job)

    def mark_stress(self) -> None:
        """Note that something could not be had in time, such as the database."""
        self.stressed_until = time.monotonic() + STRESS

    def refuse_late(self) -> None:
        """Refuse what has waited too long."""
        for job in list(self.waiting):
            if not self._is_late(job):
                break
            if job.refuse is not None and self._take(job):
                job.refuse()

    def _is_late(self, job: Job) -> bool:
        now = time.monotonic()
        return now - job.since > (SHORTEST_WAIT if now < self.stressed_until else LONGEST_WAIT)

    def interrupt_late(self) -> None:
        """Break off the statements of jobs that take too long."""
        limit = time.monotonic() - BUDGET
        for thread, since in list(self.running.items()):
            if since < limit:
                availability.interrupt(thread)

    def is_idle(self) -> bool:
        return not self.waiting and not self.running

    def stop(self) -> None:
        for _ in self.threads:
            self.jobs.put(None)

    def _take(self, job: Job) -> bool:
        """Take the job for oneself; return False when another has."""
        try:
            del self.waiting[job]
        except KeyError:
            return False
        return True

    def _work(self) -> None:
        me = threading.get_ident()
        while (job := self.jobs.get()) is not None:
            if not self._take(job):
                continue  # it was refused
            if job.refuse is not None and self._is_late(job):
                self.call_in_loop(job.refuse)
                continue
            self.running[me] = time.monotonic()
            try:
                job.run()
            except Exception:
                logger.exception("a request failed outside Django")
            finally:
                del self.running[me]
