"""The chart of the tokens that clients got in the last 30 days."""

from dataclasses import astuple, dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, cast

from django.core.cache import cache
from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.utils import timezone

from authority.models import DailyCount
from clients.models import Client
from consumers.models import Consumer

DAYS = 30
MANY = 1_000  # clients, whose month has tens of thousands of counts
REMEMBERED = 300  # seconds
type Usage = tuple[list[tuple[date, int, int]], int]  # issued and refused on each day, and clients that got tokens
TOP, BASE = 16, 176  # of the bars, in pixels; across, everything is a percentage


@dataclass(frozen=True)
class DailyUsage:
    date: date
    issued: int
    refused: int


def last_days(counts: QuerySet[DailyCount], length: int = DAYS) -> list[DailyUsage]:
    """Return each of the last days in UTC, today at the end, and also those on which nothing happened."""
    today = timezone.now().date()
    found = {
        day: (issued, refused)
        for day, issued, refused in counts.filter(day__gt=today - timedelta(days=length))
        .values("day")
        .annotate(all_issued=Sum("issued"), all_refused=Sum("refused"))
        .values_list("day", "all_issued", "all_refused")
    }
    dates = [today - timedelta(days=back) for back in reversed(range(length))]
    return [DailyUsage(each, *found.get(each, (0, 0))) for each in dates]


def usage_chart(consumer: Consumer, *, clients: int) -> dict[str, Any] | None:
    """Return what templates/portal/_usage.html shows, or None where nobody has asked for a token.

    Where the consumer has MANY clients, it may be some minutes old.
    """
    if clients < MANY:
        counted, in_use = _usage(consumer)
    else:
        counted, in_use = cast(Usage, cache.get_or_set(f"usage:{consumer.pk}", partial(_usage, consumer), REMEMBERED))
    days = [DailyUsage(*day) for day in counted]
    issued, refused = sum(day.issued for day in days), sum(day.refused for day in days)
    if not issued + refused:
        return None
    return {
        "issued": issued,
        "refused": refused,
        "share": 100 * refused / (issued + refused),
        "in_use": in_use,
        "has_refused": refused > 0,
        **_chart(days),
    }


def _usage(consumer: Consumer) -> Usage:
    days = last_days(DailyCount.objects.filter(client__consumer=consumer))
    issued_to = DailyCount.objects.filter(client=OuterRef("pk"), day__gte=days[0].date, issued__gt=0)
    return [astuple(day) for day in days], Client.objects.of(consumer).filter(Exists(issued_to)).count()


def _chart(days: list[DailyUsage]) -> dict[str, Any]:
    """Lay out a bar for each day, the last of which is not over yet."""
    limit = round_up(max(day.issued for day in days))
    slot = 100 / len(days)
    bars = []
    for place, day in enumerate(days):
        tall = max(1.5, (BASE - TOP) * day.issued / limit) if day.issued else 0
        bars.append(
            {
                "day": day,
                "left": f"{place * slot:.2f}%",
                "slot": f"{slot:.2f}%",
                "x": f"{(place + 0.11) * slot:.2f}%",
                "width": f"{0.78 * slot:.2f}%",
                "middle": f"{(place + 0.5) * slot:.2f}%",
                "y": f"{BASE - tall:.1f}",
                "height": f"{tall:.1f}",
                "dot": f"{BASE - tall - 9:.1f}",
                "is_named": (len(days) - 1 - place) % 7 == 0,
            }
        )
    lines = [{"y": TOP + (BASE - TOP) * part // 4, "value": limit - limit * part // 4} for part in range(4)]
    return {"bars": bars, "lines": lines, "base": BASE, "top": TOP, "tall": BASE - TOP}


def round_up(most: int) -> int:
    """Return the next round number, whose half is whole: 2, 4, 6, 8, 10, 20, 30, 40, 50, 60, 80, 100."""
    size = int(10 ** max(0, len(str(most - 1)) - 1))
    steps = (2, 4, 6, 8, 10) if size == 1 else (2, 3, 4, 5, 6, 8, 10)
    return next(step * size for step in steps if step * size >= most)
