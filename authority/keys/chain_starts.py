"""The start of a new chain, which names what was found wrong with the record until then.

So the past stays visible, and what was looked into is told no more. The seals go on as before: what is new is a signed
head of kind START at their end, whose token names the problems. Verifications ask here which of theirs are named.
"""

from collections.abc import Iterable
from dataclasses import astuple

from django.db import transaction

from authority.events import AuthorityEvent
from authority.keys import activity_heads
from consumers import audit
from consumers.activity import chain
from consumers.activity.verification import Problem
from consumers.audit import Actor
from consumers.models import SignedHead, Verification
from core.errors import Conflict


def newest() -> SignedHead | None:
    """Return the head after which the newest chain follows, or None where the first is the only one."""
    starts = SignedHead.objects.filter(kind=SignedHead.Kind.START).order_by("-pk")
    return next((row for row in starts.iterator() if activity_heads.is_valid(row)), None)


def named() -> frozenset[Problem]:
    """Return the problems that the newest chain names, those of the chains before it among them."""
    start = newest()
    return frozenset(Problem(*each) for each in activity_heads.claims(start.token)["named"]) if start else frozenset()


def split(problems: Iterable[Problem], known: frozenset[Problem]) -> tuple[list[Problem], list[Problem]]:
    """Return the problems that are new, and those that are named.

    One that has grown since, such as a gap that has become longer, says so in its text, and is new.
    """
    parts: tuple[list[Problem], list[Problem]] = [], []
    for problem in problems:
        parts[problem in known].append(problem)
    return parts


@transaction.atomic
def start(found: Verification | None, *, note: str, actor: Actor) -> SignedHead:
    """Start a new chain, which names what the verification found.

    `note` is what whoever looked into it has to say. Raises Conflict when it is not the last one, and
    KeysNotDecryptable.
    """
    last = Verification.objects.exclude(finished_at=None).first()
    if last is None or last != found or not last.problems:
        raise Conflict("Another verification has finished since. Look at what it found, then start the new chain.")
    names = named() | {Problem(**problem) for problem in last.problems}
    signed = activity_heads.sign(
        chain.head(), SignedHead.Kind.START, named=sorted(astuple(problem) for problem in names)
    )
    audit.record(
        AuthorityEvent.CHAIN_STARTED,
        actor=actor,
        detail={"position": signed.position + 1, "problems": len(last.problems), "note": note},
    )
    return signed
