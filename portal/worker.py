"""The worker: delivers mail and word of ended sessions, rotates keys, cleans up. Any number of them may run."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import psycopg
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import Error, connection
from django.utils import timezone

from authority import tasks
from authority.authorization import backchannel_logout
from authority.keys import rotation
from authority.telemetry import daily_counts, problem_log
from authority.tokens import test_tokens
from clients.actions import cleanup as registration
from clients.actions import secret_policy as secret_policy_actions
from core.mail import CHANNEL, deliver_next
from core.models import Message, Submission

logger = logging.getLogger(__name__)

POLL = 5.0  # seconds; what is committed wakes the worker at once, this is for what became due
SLICE = 0.5  # seconds between looks at whether to stop
CHORES_EVERY = 3600.0
LONGEST_PAUSE = 30.0


def _forget_submissions() -> None:
    Submission.objects.filter(created_at__lt=timezone.now() - timedelta(days=2)).delete()


def _forget_mail() -> None:
    """Drop what was sent, or what nobody could deliver, a month ago."""
    old = Message.objects.filter(created_at__lt=timezone.now() - timedelta(days=30))
    old.exclude(state=Message.State.WAITING).delete()


def forget_sessions() -> None:
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


CHORES: list[Callable[[], None]] = [
    rotation.maintain,
    secret_policy_actions.warn_of_ending_secrets,
    _forget_submissions,
    _forget_mail,
    forget_sessions,
    tasks.forget_ended,
    daily_counts.delete_old,
    problem_log.delete_old,
    test_tokens.forget_ended,
    registration.forget_idle,
]


class Worker:
    """Runs until `stop` is set. A database that goes away is waited for."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop = stop
        self.chores_at = 0.0
        self.listens = False

    def run(self) -> None:
        pause = 1.0
        while not self.stop.is_set():
            try:
                self.round()
                pause = 1.0
            except (Error, psycopg.Error) as error:
                logger.warning("the database does not answer, trying again in %.0f s: %s", pause, error)
                self.listens = False
                connection.close()
                self.stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        connection.close()

    def round(self) -> None:
        """Deliver what is due, do the chores when it is time, then wait for the next mail."""
        if not self.listens:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self.listens = True
        while not self.stop.is_set() and (deliver_next() or backchannel_logout.deliver_next()):
            pass
        if time.monotonic() >= self.chores_at:
            self.chores_at = time.monotonic() + CHORES_EVERY
            for chore in CHORES:
                self.do(chore)
        self.wait()

    def do(self, chore: Callable[[], None]) -> None:
        """Do a chore; one that fails must not keep mail from going out."""
        try:
            chore()
        except (Error, psycopg.Error):
            raise
        except Exception:
            logger.exception("the chore %s failed", chore.__name__)

    def wait(self) -> None:
        until = time.monotonic() + POLL
        while not self.stop.is_set() and time.monotonic() < until:
            if any(True for _ in connection.connection.notifies(timeout=SLICE, stop_after=1)):
                return
