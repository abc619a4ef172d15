"""Processes that end with the one that started them."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # of prctl(2)


def end_with_parent(parent: int, by: signal.Signals = signal.SIGTERM) -> None:
    """Ask Linux to send this process a signal when `parent`, the ID of the process that started it, ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:  # it has ended before Linux was asked
            os.kill(os.getpid(), by)
