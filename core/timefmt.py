"""How moments are written, for programs and for people, and how they are read from programs (RFC 3339, RFC 7519)."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format

MAX_OFFSET = timedelta(hours=16)  # PostgreSQL refuses such; the places of this world are within 14 hours of UTC

# -- From and for programs --------------------------------------------------------------------------------------------


def parse_moment(text: str) -> datetime:
    """Return the moment of an RFC 3339 date-time, in UTC. Raises ValueError, whose message says what to write."""
    try:
        found = parse_datetime(text) if text.isprintable() else None
    except ValueError:
        found = None
    offset = found.utcoffset() if found is not None else None
    if found is None or offset is None:
        raise ValueError("write a moment with its offset, such as 2027-01-31T12:00:00Z.")
    if abs(offset) >= MAX_OFFSET:
        raise ValueError("use an offset of less than 16 hours, such as +02:00 or Z.")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError("use a moment of the years 1 to 9999.") from None


def rfc3339(at: datetime, timespec: str = "milliseconds") -> str:
    """Return a moment in UTC: 2026-11-24T14:00:00.000Z."""
    return at.astimezone(UTC).isoformat(timespec=timespec).removesuffix("+00:00") + "Z"


def is_numeric_date(value: Any) -> TypeGuard[int | float]:
    """Say whether a claim is a NumericDate (RFC 7519 section 2): seconds since 1970, of the next 30,000 years."""
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value < 2**40


def from_numeric_date(value: object) -> datetime | None:
    """Return the moment that a claim means, or None for whatever means none, also for a year after 9999."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


# -- For people -------------------------------------------------------------------------------------------------------


def date_time(at: datetime) -> str:
    """Return a moment as a sentence says it: 24 November 2026 at 14:00 UTC."""
    return _in_words(at, "j F Y")


def weekday_date_time(at: datetime) -> str:
    """Return a moment as a mail says it: Tuesday 24 November 2026 at 14:00 UTC."""
    return _in_words(at, "l j F Y")


def near_date_time(at: datetime) -> str:
    """Return a moment that is not far: Thursday 26 November at 09:00 UTC, with the year when it is another."""
    year = timezone.localtime(at).year
    return _in_words(at, "l j F" if year == timezone.localtime().year else "l j F Y")


def short_date_time(at: datetime) -> str:
    """Return a moment as a table has it: 24 Nov 2026, 14:00."""
    return date_format(timezone.localtime(at), "j M Y, H:i")


def _in_words(at: datetime, day: str) -> str:
    local = timezone.localtime(at)
    return f"{date_format(local, day)} at {date_format(local, 'H:i')} {local.tzname()}"
