"""The worker: delivers mail and logout notices, seals events, rotates keys, cleans up. Any number of them may run."""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from authority import tasks
from authority.authorization import backchannel_logout
from authority.keys import activity_heads, rotation
from authority.telemetry import daily_counts, problem_log
from authority.tokens import test_tokens
from clients.actions import cleanup, cli_client
from clients.actions import secret_policy as secret_policy_actions
from clients.actions.apis import clear_ended_access
from clients.actions.workspace_requests import delete_old_workspace_requests
from connections.accounts import sessions as connection_sessions
from consumers.accounts.session_cleanup import delete_expired_sessions
from consumers.actions import portal_links
from consumers.actions.sealing import seal_events
from core import idempotency, mail
from core.db.own_connection import own_connection
from core.delivery import CHANNEL, Queue
from core.models import WorkerLoop
from portal import activity_check, cache_table

logger = logging.getLogger(__name__)

POLL = 5.0  # seconds; what is committed wakes the worker at once, this is for what became due
SLICE = 0.5  # seconds between looks at whether to stop
TASKS_EVERY = 3600.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between attempts after a fault
NOTE_EVERY = 10.0

TASKS = "tasks"
RECORD = "record"
QUEUES: tuple[Queue[Any], ...] = (mail.QUEUE, backchannel_logout.QUEUE)
PERIODIC_TASKS: list[Callable[[], None]] = [
    cli_client.ensure_cli_client,
    rotation.maintain,
    secret_policy_actions.warn_of_expiring_secrets,
    idempotency.delete_old,
    mail.delete_old,
    delete_expired_sessions,
    connection_sessions.delete_expired,
    cache_table.delete_expired,
    tasks.delete_expired,
    daily_counts.delete_old,
    problem_log.delete_old,
    test_tokens.delete_expired,
    cleanup.delete_idle_clients,
    portal_links.delete_old,
    clear_ended_access,
    delete_old_workspace_requests,
    activity_heads.sign_daily,
    tasks.delete_expired_events,
    activity_check.request_daily,
]


class Worker:
    """Runs each queue, the tasks and the record, each in a thread of its own, so that none waits for others."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.loops: list[Loop] = [QueueLoop(queue, stop) for queue in QUEUES]
        self.loops += [TaskLoop(PERIODIC_TASKS, stop), RecordLoop(stop)]

    def run(self) -> None:
        threads = [threading.Thread(target=loop.run, name=loop.name) for loop in self.loops]
        threads.append(threading.Thread(target=self._listen, name="wake"))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _listen(self) -> None:
        """Wake the queues when something is committed to one."""
        pause = FIRST_PAUSE
        while not self.stop.is_set():
            try:
                self._listen_once()
                pause = FIRST_PAUSE
            except Exception as error:
                logger.warning("not listening for what is to be delivered, trying again in %.0f s: %s", pause, error)
                self.stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _listen_once(self) -> None:
        with own_connection(**settings.LISTEN_DATABASE) as own:
            with own.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._wake()
            while not self.stop.is_set():
                if any(True for _ in own.connection.notifies(timeout=SLICE, stop_after=1)):
                    self._wake()

    def _wake(self) -> None:
        for loop in self.loops:
            loop.woken.set()


class Loop(ABC):
    """One kind of work, done again and again. A database that goes away is waited for, and no fault ends it."""

    name: str

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.woken = threading.Event()
        self.noted_at = 0.0

    @abstractmethod
    def run_once(self) -> bool:
        """Do what is due; return whether there may be more."""

    def run(self) -> None:
        pause = FIRST_PAUSE
        while not self.stop.is_set():
            try:
                self._note_life()
                self.woken.clear()
                if not self.run_once():
                    self._wait()
                pause = FIRST_PAUSE
            except Exception as error:
                if isinstance(error, Error | psycopg.Error):
                    logger.warning(
                        "%s: the database does not answer, next attempt in %.0f s: %s", self.name, pause, error
                    )
                else:
                    logger.exception("%s failed, next attempt in %.0f s", self.name, pause)
                connection.close()
                self.stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        connection.close()

    def _note_life(self) -> None:
        """Write down that it runs, for /health/ready and /metrics."""
        if time.monotonic() - self.noted_at > NOTE_EVERY:
            WorkerLoop.objects.update_or_create(name=self.name, defaults={"ran_at": Now()})
            self.noted_at = time.monotonic()

    def _wait(self) -> None:
        until = time.monotonic() + POLL
        while not self.stop.is_set() and not self.woken.is_set() and (left := until - time.monotonic()) > 0:
            self.woken.wait(min(SLICE, left))


class QueueLoop(Loop):
    """Delivers from one queue."""

    def __init__(self, queue: Queue[Any], stop: threading.Event) -> None:
        super().__init__(stop)
        self.queue, self.name = queue, queue.name

    def run_once(self) -> bool:
        return self.queue.deliver_next()


class RecordLoop(Loop):
    """Seals events in the chain, and verifies it step by step when that is due."""

    name = RECORD

    def run_once(self) -> bool:
        return bool(seal_events()) or activity_check.advance()


class TaskLoop(Loop):
    """Runs the periodic tasks, every hour. One that fails keeps no other from running."""

    name = TASKS

    def __init__(self, tasks: Iterable[Callable[[], None]], stop: threading.Event) -> None:
        super().__init__(stop)
        self.all = list(tasks)
        self.due_at = 0.0
        self.due: list[Callable[[], None]] = []  # those of this hour that have yet to run

    def run_once(self) -> bool:
        if time.monotonic() >= self.due_at:
            self.due_at = time.monotonic() + TASKS_EVERY
            self.due = list(self.all)
        if self.due:
            self._run_task(self.due.pop(0))
        return bool(self.due)

    def _run_task(self, task: Callable[[], None]) -> None:
        """Run a task. Raises when the connection is lost."""
        try:
            task()
        except (OperationalError, InterfaceError, psycopg.Error):
            if not connection.is_usable():
                self.due.append(task)  # behind the others, in case it is to blame
                raise
            logger.exception("the task %s failed", task.__name__)
        except Exception:
            logger.exception("the task %s failed", task.__name__)
