"""Verification of the whole record: at once for `manage.py verify_audit`, or in short steps by the worker."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from itertools import chain as joined
from itertools import pairwise

from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from authority.keys import activity_heads, chain_starts
from consumers.activity import chain, verification
from consumers.activity.chain import Head
from consumers.activity.verification import Anchor, Part, Problem
from consumers.emails import send_record_changed
from consumers.models import UnsealedEvent, User, Verification

EVERY = timedelta(days=1)
MOST = verification.MOST  # problems that are told of one verification


@dataclass
class Report:
    """What a verification found. `heads` is how many signed heads the chain agrees with.

    `named` are the problems that the start of the newest chain names; `problems` all others.
    """

    sealed: int
    waiting: int
    expired: int
    head: Head
    heads: int = 0
    problems: list[Problem] = field(default_factory=list)
    named: list[Problem] = field(default_factory=list)


def verify(*, pinned: Iterable[Head] = (), threads: int = 2) -> Report:
    """Verify the record, and that it agrees with the heads that were kept elsewhere. Reads only.

    PostgreSQL does the work, in as many processes as there are threads here.
    """
    whole, there = verification.end(), verification.events()
    start, known = verification.anchor(activity_heads.expiry()), chain_starts.named()
    report = Report(
        sealed=whole.last - max(start.first - 1, 0),
        waiting=UnsealedEvent.objects.count(),
        expired=start.expired,
        head=chain.head(),
    )
    most = MOST + len(known)
    seals = _cut(Part(max(start.first - 1, 0), whole.last), threads)
    work: list[Callable[[], list[Problem]]] = [
        *(partial(_verify_seals, part, start, most) for part in seals),
        *(partial(_verify_events, part, most) for part in _cut(there, threads)),
    ]
    if threads == 1:
        found = [run() for run in work]
    else:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(_apart, work))
    rest, report.heads = _verify_rest(start, most)
    problems, report.named = chain_starts.split(joined.from_iterable([start.problems, *found, rest]), known)
    against, agreeing = _compare(pinned, start)  # which no head of this database speaks for
    report.problems = problems + [problem for problem in against if problem not in problems]
    report.heads += agreeing
    return report


def _cut(part: Part, number: int) -> list[Part]:
    """Cut a part into so many of about the same length."""
    cuts = [part.after + (part.last - part.after) * n // number for n in range(number + 1)]
    return [Part(after, last) for after, last in pairwise(cuts) if after < last]


def _apart(run: Callable[[], list[Problem]]) -> list[Problem]:
    """Do a part of the work on a connection of its own."""
    try:
        return run()
    finally:
        connection.close()


def _verify_seals(part: Part, start: Anchor, most: int) -> list[Problem]:
    found: list[Problem] = []
    for step in verification.steps(part):
        found += _verify_step(step, start, most)
        if len(found) >= most:
            break
    return found


def _verify_step(step: Part, start: Anchor, most: int) -> list[Problem]:
    """Return what is wrong with a step; what has expired since the verification began is not."""
    found = verification.verify_seals(step, start, most)
    if found and (now := verification.anchor(activity_heads.expiry())) != start:
        return verification.verify_seals(step, now, most)
    return found


def _verify_events(part: Part, most: int) -> list[Problem]:
    found: list[Problem] = []
    for step in verification.event_steps(part):
        found += verification.verify_events(step, most)
        if len(found) >= most:
            break
    return found


def _compare(heads: Iterable[Head], start: Anchor) -> tuple[list[Problem], int]:
    """Return what is wrong with heads, and with how many of them the chain agrees."""
    compared = verification.comparable(heads, start)
    problems = verification.verify_heads(compared, start)
    return problems, len(compared) - len(problems)


def _verify_rest(start: Anchor, most: int) -> tuple[list[Problem], int]:
    """Return what is wrong with erasures and signed heads, and with how many of these the chain agrees."""
    heads, invalid = activity_heads.stored()
    problems, agreeing = _compare(heads, start)
    problems += verification.verify_erasures(most)
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
        whole, events = verification.end(), verification.events()
        row = Verification(last_position=whole.last, event=events.after, last_event=events.last)
        Verification.objects.bulk_create([row], ignore_conflicts=True)


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
    start, known = verification.anchor(activity_heads.expiry()), chain_starts.named()
    most = MOST + len(known)
    if row.position < row.last_position:
        step = next(verification.steps(Part(row.position, row.last_position)))
        _note(row, known, _verify_step(step, start, most), position=step.last)
    elif row.event < row.last_event:
        step = next(verification.event_steps(Part(row.event, row.last_event)))
        _note(row, known, verification.verify_events(step, most), event=step.last)
    else:
        problems, heads = _verify_rest(start, most)
        found = [*start.problems, *problems]
        _note(row, known, found, heads=heads, expired=start.expired, finished_at=timezone.now())
        if row.problems:
            _mail_operators(row)
    return True


def _note(row: Verification, known: frozenset[Problem], found: list[Problem], **fields: object) -> None:
    """Add what was found. A new chain may have named some of it after the verification had begun."""
    everything = [Problem(**each) for each in row.problems + row.named] + found
    problems, named = chain_starts.split(everything, known)
    row.problems = [asdict(problem) for problem in problems[:MOST]]
    row.named = [asdict(problem) for problem in named[:MOST]]
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=["problems", "named", *fields])


def _mail_operators(row: Verification) -> None:
    """Mail every operator who may read the record, but for what the verification before has told them."""
    before = Verification.objects.filter(pk__lt=row.pk).values_list("problems", flat=True).first()
    if before == row.problems:
        return
    page = reverse("admin:consumers_event_verify")
    for person in User.objects.filter(is_staff=True, is_active=True).order_by("pk"):
        if person.has_perm("consumers.view_event"):
            send_record_changed(person, [problem["text"] for problem in row.problems[:10]], page)
