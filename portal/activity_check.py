"""Verification of the whole record: at once for `manage.py verify_audit`, or in short steps by the worker."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import pairwise

from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from authority.keys import activity_heads
from consumers.activity import chain, verification
from consumers.activity.chain import Head
from consumers.activity.verification import Anchor, Part, Problem
from consumers.emails import send_record_changed
from consumers.models import UnsealedEvent, User, Verification

EVERY = timedelta(days=1)
MOST = 100  # problems that are told of one verification


@dataclass
class Report:
    """What a verification found. `heads` is how many signed heads the chain agrees with."""

    sealed: int
    waiting: int
    expired: int
    head: Head
    heads: int = 0
    problems: list[Problem] = field(default_factory=list)


def verify(*, pinned: Iterable[Head] = (), threads: int = 2) -> Report:
    """Verify the record, and that it agrees with the heads that were kept elsewhere. Reads only.

    PostgreSQL does the work, in as many processes as there are threads here.
    """
    whole, newest = verification.end(), verification.newest_event()
    start = verification.anchor(activity_heads.expiry())
    report = Report(
        sealed=whole.last - max(start.first - 1, 0),
        waiting=UnsealedEvent.objects.count(),
        expired=start.expired,
        head=chain.head(),
        problems=list(start.problems),
    )
    seals = [(_verify_seals, part, start) for part in _cut(Part(max(start.first - 1, 0), whole.last), threads)]
    events = [(_verify_events, part, start) for part in _cut(Part(0, newest), threads)]
    if threads == 1:
        found = [run(part, start) for run, part, start in seals + events]
    else:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(_apart, seals + events))
    report.problems += [problem for part in found for problem in part]
    problems, report.heads = _verify_rest(start, pinned)
    report.problems += problems
    return report


def _cut(part: Part, number: int) -> list[Part]:
    """Cut a part into so many of about the same length."""
    cuts = [part.after + (part.last - part.after) * n // number for n in range(number + 1)]
    return [Part(after, last) for after, last in pairwise(cuts) if after < last]


def _apart(work: tuple[Callable[[Part, Anchor], list[Problem]], Part, Anchor]) -> list[Problem]:
    """Do a part of the work on a connection of its own."""
    run, part, start = work
    try:
        return run(part, start)
    finally:
        connection.close()


def _verify_seals(part: Part, start: Anchor) -> list[Problem]:
    found: list[Problem] = []
    for step in verification.steps(part):
        found += _verify_step(step, start)
        if len(found) >= MOST:
            break
    return found


def _verify_step(step: Part, start: Anchor) -> list[Problem]:
    """Return what is wrong with a step; what has expired since the verification began is not."""
    found = verification.verify_seals(step, start)
    if found and (now := verification.anchor(activity_heads.expiry())) != start:
        return verification.verify_seals(step, now)
    return found


def _verify_events(part: Part, start: Anchor) -> list[Problem]:
    found: list[Problem] = []
    for step in verification.event_steps(part):
        found += verification.verify_events(step)
        if len(found) >= MOST:
            break
    return found


def _verify_rest(start: Anchor, pinned: Iterable[Head] = ()) -> tuple[list[Problem], int]:
    """Return what is wrong with erasures and signed heads, and with how many of these the chain agrees."""
    heads, invalid = activity_heads.stored()
    heads += pinned
    problems = verification.verify_heads(heads, start)
    agreeing = len(heads) - len(problems)
    problems += verification.verify_erasures()
    problems += [
        Problem("signature", row.position, 0, f"The head of {row.signed_at:%Y-%m-%d %H:%M} UTC is not what was signed.")
        for row in invalid
    ]
    return problems, agreeing


# -- By the worker, step by step --------------------------------------------------------------------------------------


@transaction.atomic
def request() -> None:
    """Have the worker verify the record, unless it does already."""
    if not Verification.objects.filter(finished_at=None).exists():
        whole, newest = verification.end(), verification.newest_event()
        Verification.objects.bulk_create(
            [Verification(last_position=whole.last, last_event=newest)], ignore_conflicts=True
        )


def request_daily() -> None:
    last = Verification.objects.first()
    if last is None or last.requested_at <= timezone.now() - EVERY:
        request()


@transaction.atomic
def advance() -> bool:
    """Take the next step of a verification that is under way; return whether there was one."""
    row = Verification.objects.filter(finished_at=None).select_for_update(skip_locked=True).first()
    if row is None:
        return False
    start = verification.anchor(activity_heads.expiry())
    if row.position < row.last_position:
        step = next(verification.steps(Part(row.position, row.last_position)))
        _note(row, _verify_step(step, start), position=step.last)
    elif row.event < row.last_event:
        step = next(verification.event_steps(Part(row.event, row.last_event)))
        _note(row, verification.verify_events(step), event=step.last)
    else:
        problems, heads = _verify_rest(start)
        _note(row, [*start.problems, *problems], heads=heads, expired=start.expired, finished_at=timezone.now())
        if row.problems:
            _mail_operators(row)
    return True


def _note(row: Verification, problems: list[Problem], **fields: object) -> None:
    row.problems = (row.problems + [asdict(problem) for problem in problems])[:MOST]
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=["problems", *fields])


def _mail_operators(row: Verification) -> None:
    """Mail every operator who may read the record, but for what the verification before has told them."""
    before = Verification.objects.filter(pk__lt=row.pk).values_list("problems", flat=True).first()
    if before == row.problems:
        return
    page = reverse("admin:consumers_event_verify")
    for person in User.objects.filter(is_staff=True, is_active=True).order_by("pk"):
        if person.has_perm("consumers.view_event"):
            send_record_changed(person, [problem["text"] for problem in row.problems[:10]], page)
