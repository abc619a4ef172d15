"""The processes of a server, started again when they end, and stopped with the one that started them."""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from portal.processes import end_with_parent

logger = logging.getLogger(__name__)

STOPS = (signal.SIGTERM, signal.SIGINT)
SIGNALS = (*STOPS, signal.SIGCHLD)
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0  # seconds before a process that has ended is started again
SETTLED = 30.0  # seconds after which a process counts as having run well
KILL_AFTER = 12.0  # seconds from the signal to stop until a process is killed
REFUSES_TO_START = 78  # EX_CONFIG of sysexits.h


@dataclass(eq=False)
class Child:
    """One process: `run` is called in it and its end is that of the process."""

    name: str
    run: Callable[[], None]
    ends_by: signal.Signals = signal.SIGKILL  # what it gets when the server is killed
    pid: int = 0  # 0 while it does not run
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    due_at: float = 0.0  # when it is to be started


class Supervisor:
    """Runs children until it is told to stop."""

    def __init__(self, children: list[Child], listener: socket.socket) -> None:
        self.children = children
        self.listener = listener  # kept open, so that whoever connects while a process starts is served, only later

    def run(self) -> int:
        """Return the status with which the server ends."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        while True:
            for child in self.children:
                if not child.pid and child.due_at <= time.monotonic():
                    self._start(child)
            received = signal.sigtimedwait(SIGNALS, self._seconds_until_due())
            if received is not None and received.si_signo in STOPS:
                return self._stop()
            for child, status in self._ended():
                if status == REFUSES_TO_START:  # it has said why
                    self._stop()
                    return 1
                self._note_end(child, status)

    def _start(self, child: Child) -> None:
        parent = os.getpid()
        child.started_at = time.monotonic()
        child.pid = os.fork()
        if child.pid:
            return
        status = 1
        try:
            end_with_parent(parent, child.ends_by)
            os.setpgrp()  # Ctrl-C in a terminal reaches the whole group; the server alone shall hear it
            for stop in STOPS:
                signal.signal(stop, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            child.run()
            status = 0
        except SystemExit as refusal:
            if refusal.code:
                logger.error("%s", refusal.code)
                status = REFUSES_TO_START
        except BaseException:
            logger.exception("%s ended", child.name)
        finally:
            os._exit(status)

    def _seconds_until_due(self) -> float:
        due = [child.due_at for child in self.children if not child.pid]
        return max(0.0, min(due) - time.monotonic()) if due else 3600.0

    def _ended(self) -> list[tuple[Child, int]]:
        """Return the children that have ended, each with its exit status, or its signal as a negative number."""
        found = []
        for child in self.children:
            if child.pid:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    child.pid = 0
                    found.append((child, os.waitstatus_to_exitcode(status)))
        return found

    def _note_end(self, child: Child, status: int) -> None:
        """Plan the next start: at once after a long life, later and later when they follow on one another."""
        if time.monotonic() - child.started_at > SETTLED:
            child.pause = FIRST_PAUSE
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        logger.error("%s exited %s; it starts again in %.1f s", child.name, how, child.pause)
        child.due_at = time.monotonic() + child.pause
        child.pause = min(child.pause * 3, LONGEST_PAUSE)

    def _stop(self) -> int:
        """Stop all, and kill those that take too long."""
        self.listener.close()
        self._signal_all(signal.SIGTERM)
        until = time.monotonic() + KILL_AFTER
        while any(child.pid for child in self.children):
            self._ended()
            if time.monotonic() > until:
                logger.error("%s did not stop in time", ", ".join(each.name for each in self.children if each.pid))
                self._signal_all(signal.SIGKILL)
                until += KILL_AFTER
            signal.sigtimedwait((signal.SIGCHLD,), 0.05)
        return 0

    def _signal_all(self, which: signal.Signals) -> None:
        for child in self.children:
            if child.pid:
                with suppress(ProcessLookupError):
                    os.kill(child.pid, which)
