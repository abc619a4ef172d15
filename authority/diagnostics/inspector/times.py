"""Times in tokens, and their display."""

from datetime import datetime, timedelta

from django.utils import timezone

from core.timefmt import date_time

JUST_NOW = timedelta(seconds=2)
UNITS = (("day", 86_400, 2 * 86_400), ("hour", 3600, 2 * 3600), ("minute", 60, 120), ("second", 1, 0))


def humanize(gap: timedelta) -> str:
    """Return a duration in one whole unit: 3 minutes, 26 hours."""
    seconds = max(0, round(gap.total_seconds()))
    unit, size = next((unit, size) for unit, size, least in UNITS if seconds >= least)
    count = round(seconds / size)
    return f"{count} {unit}{'' if count == 1 else 's'}"


def with_distance(at: datetime) -> str:
    """Return a time with its distance from now: 21 November 2026 at 03:01 UTC, 3 minutes ago."""
    gap = at - timezone.now()
    if abs(gap) < JUST_NOW:
        return f"{date_time(at)}, just now"
    return f"{date_time(at)}, " + (f"in {humanize(gap)}" if gap > timedelta() else f"{humanize(-gap)} ago")
