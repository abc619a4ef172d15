"""Process groups."""

import ctypes
import signal
import sys

PR_SET_PDEATHSIG = 1  # of prctl(2)


def end_with_parent() -> None:
    """Ask Linux to end this process when the one that started it ends, even by SIGKILL.

    A web process that outlives the server would keep its port, and answer with what the code was then.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
