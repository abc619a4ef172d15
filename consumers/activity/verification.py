"""Verification of the chain, step by step: which event was changed, removed or inserted, and where the chain breaks.

PostgreSQL does the work, so that it takes a few microseconds a row; a step reads a bounded part, and writes nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max, Min

from consumers.activity import chain
from consumers.activity.chain import Head
from consumers.models import Event, EventSeal

STEP = 20_000  # rows of a step
MOST = 100  # problems that a step tells
TEXTS = 500  # that are read at a time


@dataclass(frozen=True)
class Problem:
    """What is wrong at one place. `position` is in the chain, `event` the event's id; 0 where there is none."""

    kind: str
    position: int
    event: int
    text: str


class Part(NamedTuple):
    """A part of the chain to verify: what follows `after`, up to `last`."""

    after: int
    last: int


class Anchor(NamedTuple):
    """Where the chain begins: its first seal, what that follows from, and until where events may have expired."""

    first: int
    before: bytes | None  # None: unknown, until the head that stands for what has expired
    expired: int
    problems: list[Problem]


def anchor(expiry: Head | None) -> Anchor:
    """Return the beginning of the chain. `expiry` is the last head whose signature says that events expired."""
    first = EventSeal.objects.aggregate(first=Min("position"))["first"] or 0
    expired = expiry.position if expiry else 0
    if first <= 1:
        return Anchor(first, chain.GENESIS, expired, [])
    if expiry and expiry.position == first - 1:
        return Anchor(first, expiry.hash, expired, [])
    problems = []
    if expired < first:
        problems = [
            Problem(
                "missing", first, 0, f"Positions 1 to {first - 1:,} are missing, and no signed head stands for them."
            )
        ]
    return Anchor(first, None, expired, problems)


def end() -> Part:
    """Return the whole chain as it is now."""
    return Part(0, EventSeal.objects.aggregate(last=Max("position"))["last"] or 0)


def events() -> Part:
    """Return the ids of all events there are."""
    there = Event.objects.aggregate(first=Min("pk"), last=Max("pk"))
    return Part(min((there["first"] or 1) - 1, 0), there["last"] or 0)


def steps(part: Part) -> Iterator[Part]:
    """Cut a part into steps of STEP seals at most, however far their positions are apart."""
    after = part.after
    while after < part.last:
        positions = EventSeal.objects.filter(position__gt=after, position__lte=part.last).order_by("position")
        last = positions.values_list("position", flat=True)[STEP - 1 : STEP].first() or part.last
        yield Part(after, last)
        after = last


# What is wrong with the seals after one position, up to another. A seal counts unless its event was sealed again.
FLAWS = f"""
WITH part AS (
    SELECT seal.*, lag(position) OVER chain AS before_position, lag(hash) OVER chain AS before_hash
    FROM consumers_eventseal seal
    WHERE position BETWEEN %(before_first)s AND %(last)s
    WINDOW chain AS (ORDER BY position)
), judged AS (
    SELECT part.position, part.event_id, part.before_position,
        event.id IS NOT NULL AS is_there,
        event.erased_by IS NOT NULL AS is_erased,
        NOT EXISTS (SELECT FROM consumers_eventseal later
                    WHERE later.event_id = part.event_id AND later.position > part.position) AS counts,
        part.position > %(first)s AND part.before_position IS DISTINCT FROM part.position - 1 AS gap,
        part.hash <> sha256(
            CASE WHEN part.position = %(first)s THEN %(before)s ELSE part.before_hash END
            || part.digest || coalesce(part.consumer_hash, '')) AS broken,
        (part.consumer_id IS NULL) <> (part.consumer_hash IS NULL)
            OR part.consumer_hash <> sha256(coalesce(
                (SELECT consumer_hash FROM consumers_eventseal earlier
                 WHERE earlier.consumer_id = part.consumer_id AND earlier.position < part.position
                 ORDER BY position DESC LIMIT 1),
                CASE WHEN %(first)s <= 1 THEN %(genesis)s END) || part.digest) AS consumer_broken,
        part.consumer_id IS DISTINCT FROM event.consumer_id OR part.digest <> {chain.DIGEST} AS differs
    FROM part LEFT JOIN LATERAL (  -- by the key, seal for seal, however many events there are
        SELECT * FROM consumers_event WHERE id = part.event_id LIMIT 1) event ON true
    WHERE part.position > %(after)s
)
SELECT position, event_id, before_position, coalesce(gap, false), coalesce(broken, false),
    coalesce(consumer_broken, false), counts AND NOT is_there AND position > %(expired)s,
    counts AND is_there AND differs
        AND NOT EXISTS (SELECT FROM consumers_unsealedevent waiting WHERE waiting.event_id = judged.event_id),
    NOT counts AND is_there AND NOT is_erased
FROM judged
WHERE gap OR broken OR consumer_broken OR (counts AND NOT is_there AND position > %(expired)s)
    OR (counts AND is_there AND differs) OR (NOT counts AND is_there AND NOT is_erased)
ORDER BY position LIMIT %(most)s
"""  # noqa: S608  # our own text


class _Flaw(NamedTuple):
    """A row of FLAWS."""

    position: int
    event: int
    before: int | None
    gap: bool
    broken: bool
    consumer_broken: bool
    removed: bool
    changed: bool
    again: bool


def verify_seals(step: Part, start: Anchor, most: int = MOST) -> list[Problem]:
    """Return what is wrong with the seals of a step, and with their events."""
    # A number, not a subquery: the planner then knows how few rows a step is about.
    before_first = EventSeal.objects.filter(position__lte=step.after).aggregate(last=Max("position"))["last"]
    values = {
        "before_first": before_first or 0,
        "after": step.after,
        "last": step.last,
        "first": start.first,
        "before": start.before,
        "expired": start.expired,
        "genesis": chain.GENESIS,
        "most": most,
    }
    return [problem for row in _rows(FLAWS, values) for problem in _problems(_Flaw(*row))]


def _problems(flaw: _Flaw) -> Iterator[Problem]:
    position, event = flaw.position, flaw.event
    if flaw.gap:
        since = (flaw.before or 0) + 1
        places = f"Positions {since:,} to {position - 1:,} are" if since < position - 1 else f"Position {since:,} is"
        yield Problem("missing", since, 0, f"{places} missing from the chain.")
    if flaw.removed:
        yield Problem("removed", position, event, f"Event {event:,} was removed.")
    if flaw.changed:
        yield Problem("changed", position, event, f"Event {event:,} was changed after it was sealed.")
    if flaw.again:
        text = f"Event {event:,} was sealed again at a later position, though nobody was erased from it."
        yield Problem("sealed_again", position, event, text)
    if flaw.broken and not flaw.gap:
        text = f"Event {event:,}, at position {position:,}, does not follow from the one before it."
        yield Problem("broken", position, event, text)
    if flaw.consumer_broken and not flaw.broken:
        text = f"Event {event:,}, at position {position:,}, does not follow from its consumer\u2019s event before it."
        yield Problem("broken", position, event, text)


def digest_now(event: int) -> bytes:
    """Return the digest of an event's row as it is now."""
    sql = f"SELECT {chain.DIGEST} FROM consumers_event event WHERE id = %(event)s"  # noqa: S608  # our own text
    return bytes(_rows(sql, {"event": event})[0][0])


def event_texts() -> Iterator[str]:
    """Yield the text of each event's row, whose SHA-256 is its digest, in the order of their ids."""
    sql = f"SELECT id, {chain.TEXT} FROM consumers_event event WHERE id > %(after)s ORDER BY id LIMIT %(most)s"  # noqa: S608
    after = events().after
    while rows := _rows(sql, {"after": after, "most": TEXTS}):
        yield from (text for _, text in rows)
        after = rows[-1][0]


INSERTED = """
SELECT id FROM consumers_event event WHERE id > %(after)s AND id <= %(last)s
    AND NOT EXISTS (SELECT FROM consumers_eventseal seal
        WHERE seal.event_id = event.id AND seal.event_id > %(after)s AND seal.event_id <= %(last)s)
    AND NOT EXISTS (SELECT FROM consumers_unsealedevent waiting
        WHERE waiting.event_id = event.id AND waiting.event_id > %(after)s AND waiting.event_id <= %(last)s)
ORDER BY id LIMIT %(most)s
"""


def event_steps(part: Part) -> Iterator[Part]:
    """Cut the ids of events into steps, as `steps` does."""
    after = part.after
    while after < part.last:
        ids = Event.objects.filter(pk__gt=after, pk__lte=part.last).order_by("pk").values_list("pk", flat=True)
        last = ids[STEP - 1 : STEP].first() or part.last
        yield Part(after, last)
        after = last


def verify_events(step: Part, most: int = MOST) -> list[Problem]:
    """Return the events of a step that are not in the chain, though they do not wait for their place in it."""
    found = _rows(INSERTED, {"after": step.after, "last": step.last, "most": most})
    return [Problem("inserted", 0, event, f"Event {event:,} was inserted beside the chain.") for (event,) in found]


ERASED = """
SELECT rows.erased_by, rows.number
FROM (SELECT erased_by, count(*) AS number FROM consumers_event WHERE erased_by IS NOT NULL GROUP BY erased_by) rows
LEFT JOIN consumers_event erasure ON erasure.id = rows.erased_by
WHERE erasure.name IS DISTINCT FROM 'person.erased' OR rows.number > coalesce((erasure.detail ->> 'events')::bigint, 0)
ORDER BY rows.erased_by LIMIT %(most)s
"""


def verify_erasures(most: int = MOST) -> list[Problem]:
    """Return the erasures that are not recorded, or of more events than were recorded."""
    return [
        Problem(
            "erased", 0, erasure, f"{number:,} events name event {erasure:,} as their erasure, which says otherwise."
        )
        for erasure, number in _rows(ERASED, {"most": most})
    ]


def comparable(heads: Iterable[Head], start: Anchor) -> list[Head]:
    """Leave out the heads of what has expired: what follows is anchored in the head that stands for it."""
    return [head for head in heads if not 0 < head.position < start.first]


def verify_heads(heads: Iterable[Head], start: Anchor) -> list[Problem]:
    """Return the signed heads that the chain does not agree with. Those of expired events cannot be compared."""
    problems = []
    for position, expected in comparable(heads, start):
        found = EventSeal.objects.filter(pk=position).values_list("hash", flat=True).first()
        if position and found is None:
            text = f"The chain ends before position {position:,}, where a head was signed."
            problems.append(Problem("truncated", position, 0, text))
        elif position and bytes(found or b"") != expected:
            text = f"At position {position:,} the chain is not what it was when its head was signed there."
            problems.append(Problem("rewritten", position, 0, text))
    return problems


def _rows(sql: str, values: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
