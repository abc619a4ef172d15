"""The worker: delivers mail and logout notices, rotates keys, cleans up. Any number of them may run."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import Error, InterfaceError, OperationalError, connection
from django.utils import timezone

from authority import tasks
from authority.authorization import backchannel_logout
from authority.keys import rotation
from authority.telemetry import daily_counts, problem_log
from authority.tokens import test_tokens
from clients.actions import cleanup
from clients.actions import secret_policy as secret_policy_actions
from core import mail
from core.delivery import CHANNEL, Queue
from core.models import Message, Submission

logger = logging.getLogger(__name__)

POLL = 5.0  # seconds; what is committed wakes the worker at once, this is for what became due
SLICE = 0.5  # seconds between looks at whether to stop
SHARE = 10.0  # seconds of a round that one queue may take, so that no slow server keeps the others waiting
TASKS_EVERY = 3600.0
LONGEST_PAUSE = 30.0


def _delete_old_submissions() -> None:
    Submission.objects.filter(created_at__lt=timezone.now() - timedelta(days=2)).delete()


def _delete_old_mail() -> None:
    """Drop what was sent, or what nobody could deliver, a month ago."""
    old = Message.objects.filter(created_at__lt=timezone.now() - timedelta(days=30))
    old.exclude(state=Message.State.WAITING).delete()


def delete_expired_sessions() -> None:
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


QUEUES: tuple[Queue[Any], ...] = (mail.QUEUE, backchannel_logout.QUEUE)
PERIODIC_TASKS: list[Callable[[], None]] = [
    rotation.maintain,
    secret_policy_actions.warn_of_expiring_secrets,
    _delete_old_submissions,
    _delete_old_mail,
    delete_expired_sessions,
    tasks.delete_expired,
    daily_counts.delete_old,
    problem_log.delete_old,
    test_tokens.delete_expired,
    cleanup.delete_idle_clients,
]


class Worker:
    """Runs until `stop` is set. A database that goes away is waited for, and no fault ends it."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.tasks_at = 0.0
        self.tasks: list[Callable[[], None]] = []  # those of this hour that have yet to run
        self.listens = False

    def run(self) -> None:
        pause = 1.0
        while not self.stop.is_set():
            try:
                self.run_once()
                pause = 1.0
            except Exception as error:
                if isinstance(error, Error | psycopg.Error):
                    logger.warning("the database does not answer, trying again in %.0f s: %s", pause, error)
                else:
                    logger.exception("a round of the worker failed, trying again in %.0f s", pause)
                self.listens = False
                connection.close()
                self.stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        connection.close()

    def run_once(self) -> None:
        """Deliver for a while, run the periodic tasks when it is time, then wait unless there is more to deliver."""
        if not self.listens:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self.listens = True
        more = [self._deliver_from(queue) for queue in QUEUES]
        if time.monotonic() >= self.tasks_at:
            self.tasks_at = time.monotonic() + TASKS_EVERY
            self.tasks = list(PERIODIC_TASKS)
        while self.tasks and not self.stop.is_set():
            self._run_task(self.tasks.pop(0))
        if not any(more):
            self._wait()

    def _deliver_from(self, queue: Queue[Any]) -> bool:
        """Deliver what is due within the queue's share of the round; say whether more may be."""
        until = time.monotonic() + SHARE
        while not self.stop.is_set() and time.monotonic() < until:
            if not queue.deliver_next():
                return False
        return True

    def _run_task(self, task: Callable[[], None]) -> None:
        """Run a task; one that fails keeps neither mail nor the other tasks. Raises when the connection is lost."""
        try:
            task()
        except (OperationalError, InterfaceError, psycopg.Error):
            if not connection.is_usable():
                self.tasks.append(task)  # behind the others, in case it is to blame
                raise
            logger.exception("the task %s failed", task.__name__)
        except Exception:
            logger.exception("the task %s failed", task.__name__)

    def _wait(self) -> None:
        until = time.monotonic() + POLL
        while not self.stop.is_set() and time.monotonic() < until:
            if any(True for _ in connection.connection.notifies(timeout=SLICE, stop_after=1)):
                return
