"""Durations in Go's notation, 31h0m0s, which Ory's programs read and send."""

import re
from fractions import Fraction

UNITS = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}
PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h)")
DURATION = re.compile(rf"(?:{PART.pattern})+")


def parse_duration(text: str) -> int:
    """Return the seconds. Raises ValueError for anything else, and for parts of a second."""
    if len(text) > 60 or not DURATION.fullmatch(text):
        raise ValueError("write a duration, such as 1h30m or 900s")
    seconds = sum((Fraction(number) * UNITS[unit] for number, unit in PART.findall(text)), Fraction())
    if seconds.denominator != 1:
        raise ValueError("use whole seconds")
    return int(seconds)


def format_duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds}s"
