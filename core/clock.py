"""This machine's clock beside the database's, which all machines have in common.

What one machine issues, another judges: whether a token was issued before a revocation, and whether a code, an
assertion or a proof has expired. So such times are the database's. The heartbeat of the connection that listens
measures the difference (core/notifications.py).
"""

import logging
import time
from datetime import datetime, timedelta

from django.utils import timezone

logger = logging.getLogger(__name__)

TOLERANCE = 5.0  # seconds; beyond that pages and logs show wrong times, and codes by mail end too late
WARN_EVERY = 60.0  # seconds

_least, _most = 0.0, 0.0  # seconds by which the database's clock is ahead of ours: between these
_warned_at = -WARN_EVERY


def measured(database: float, asked_at: float, answered_at: float) -> None:
    """Note what the database's clock showed at some moment between two of ours: seconds since 1970."""
    global _least, _most, _warned_at  # noqa: PLW0603
    _least, _most = database - answered_at, database - asked_at
    if is_wrong() and time.monotonic() - _warned_at > WARN_EVERY:
        _warned_at = time.monotonic()
        logger.error("%s; set it by NTP", describe())


def seconds_behind() -> float:
    return _least


def is_wrong() -> bool:
    return _least > TOLERANCE or _most < -TOLERANCE


def describe() -> str:
    """Say by how much this machine's clock is wrong."""
    return f"this machine's clock is {abs(_least):.0f} s {'behind' if _least > 0 else 'ahead of'} the database's"


def nanoseconds() -> int:
    """Return the database's time, for what is issued: in nanoseconds since 1970, never later than it is there."""
    return time.time_ns() + int(_least * 1e9)


def seconds() -> float:
    """Return the database's time, for what is judged: in seconds since 1970."""
    return time.time() + _least


def now() -> datetime:
    """Return the database's time, for what expires: whichever machine gave it out, and whichever is asked."""
    return timezone.now() + timedelta(seconds=_least)


def after_now() -> datetime:
    """Return the database's time, for what ends all that was issued until now: never earlier than it is there."""
    return timezone.now() + timedelta(seconds=_most)
