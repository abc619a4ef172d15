"""The activity of a workspace as people read it: each event as a sentence, in lists by day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from string import Formatter
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import date_format

from consumers.activity import vocabulary
from consumers.models import Consumer, Event
from core.user_agents import browser_name


class Part(NamedTuple):
    """A piece of a sentence; a name stands out, and leads to its page while that exists."""

    text: str
    is_name: bool = False
    url: str = ""


@dataclass(frozen=True)
class ActivityEntry:
    """An event as the timeline shows it. `tone` is good, warn, bad or empty."""

    event: Event
    parts: list[Part]
    icon: str
    tone: str
    detail: str
    origin: str

    @property
    def sentence(self) -> str:
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True)
class ActivityDay:
    date: date
    heading: str
    entries: list[ActivityEntry]


def describe(event: Event, target_url: str = "") -> ActivityEntry:
    """Describe one event. `target_url` is the page of its target, where that still exists."""
    wording = vocabulary.wording_of(event)
    parts = [Part(event.actor_label, is_name=True)]
    text = " "
    for literal, field, _, _ in Formatter().parse(wording.sentence):
        text += literal
        if field == "target":
            parts += [Part(text), Part(event.target_label, is_name=True, url=target_url)]
            text = ""
        elif field:
            text += str(event.detail.get(field, "somebody"))
    if text:
        parts.append(Part(text))
    return ActivityEntry(event, parts, wording.icon, wording.tone, wording.detail(event), _origin(event))


def _origin(event: Event) -> str:
    """Return where the request came from: address, browser and system."""
    return ", ".join(filter(None, (event.ip, browser_name(event.user_agent))))


# -- Lists ------------------------------------------------------------------------------------------------------------


def describe_all(events: Iterable[Event], consumer: Consumer) -> list[ActivityEntry]:
    """Describe the events of one consumer, with links to those of their targets that still exist."""
    events = list(events)
    urls: dict[tuple[str, str], str] = {}
    for kind, find_urls in vocabulary.target_urls().items():
        ids = {event.target_id for event in events if event.target_kind == kind}
        if ids:
            urls |= {(kind, pk): url for pk, url in find_urls(consumer, ids).items()}
    return [describe(event, urls.get((event.target_kind, event.target_id), "")) for event in events]


def by_day(entries: Iterable[ActivityEntry]) -> list[ActivityDay]:
    """Group entries, newest first, under the days on which they happened here."""
    return [
        ActivityDay(day, day_heading(day), list(group))
        for day, group in groupby(entries, key=lambda entry: timezone.localdate(entry.event.at))
    ]


def day_heading(day: date) -> str:
    today = timezone.localdate()
    if day == today:
        return f"Today, {date_format(day, 'j F')}"
    if day == today - timedelta(days=1):
        return f"Yesterday, {date_format(day, 'j F')}"
    return date_format(day, "l j F" if day.year == today.year else "l j F Y")
