"""Moments as tokens have them, and as people read them."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from consumers.activity.timeline import when

JUST_NOW = timedelta(seconds=2)
UNITS = (("day", 86_400, 2 * 86_400), ("hour", 3600, 2 * 3600), ("minute", 60, 120), ("second", 1, 0))


def moment(value: object) -> datetime | None:
    """Return what a NumericDate (RFC 7519 section 2) means, or None for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def length(gap: timedelta) -> str:
    """Return a length of time in whole units that are easy to grasp: 3 minutes, 26 hours."""
    seconds = max(0, round(gap.total_seconds()))
    unit, size = next((unit, size) for unit, size, least in UNITS if seconds >= least)
    count = round(seconds / size)
    return f"{count} {unit}{'' if count == 1 else 's'}"


def told(at: datetime) -> str:
    """Return a moment with how far it is: 21 November 2026 at 03:01 UTC, 3 minutes ago."""
    gap = at - timezone.now()
    if abs(gap) < JUST_NOW:
        return f"{when(at)}, just now"
    return f"{when(at)}, " + (f"in {length(gap)}" if gap > timedelta() else f"{length(-gap)} ago")
