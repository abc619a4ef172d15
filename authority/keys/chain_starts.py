"""The start of a new chain, which names what was found wrong with the record until then.

So the past stays visible, and what was looked into is told no more. The seals go on as before: what is new is a signed
head of kind START at their end, whose token names the problems. Verifications ask here which of theirs are named.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from authority.events import AuthorityEvent
from authority.keys import activity_heads
from consumers import audit
from consumers.activity import chain, verification
from consumers.activity.chain import Head
from consumers.activity.verification import Anchor, Problem
from consumers.audit import Actor
from consumers.models import SignedHead, Verification
from core.errors import Conflict


@dataclass(frozen=True)
class ChainStart:
    """Where the newest chain starts, and the problems that it names: each by its kind, position and event."""

    head: Head
    named: frozenset[tuple[str, int, int]]
    last_event: int  # the newest event's id then
    is_whole: bool  # whether all problems are named: else nothing before this start is verified again

    def anchor(self, beginning: Anchor) -> Anchor:
        """Return where a verification begins that would begin there."""
        if self.is_whole or beginning.first > self.head.position:
            return beginning
        return Anchor(self.head.position + 1, self.head.hash, beginning.expired, [])

    @property
    def after_event(self) -> int:
        """The id after which a verification of events begins."""
        return 0 if self.is_whole else self.last_event

    def split(self, problems: Iterable[Problem]) -> tuple[list[Problem], list[Problem]]:
        """Return the problems that are new, and those that are named."""
        parts: tuple[list[Problem], list[Problem]] = [], []
        for problem in problems:
            parts[self._names(problem)].append(problem)
        return parts

    def _names(self, problem: Problem) -> bool:
        if (problem.kind, problem.position, problem.event) in self.named:
            return True
        return not self.is_whole and problem.position <= self.head.position and problem.event <= self.last_event


FIRST = ChainStart(Head(0, chain.GENESIS), frozenset(), 0, is_whole=True)


def newest() -> ChainStart:
    """Return the start of the newest chain: FIRST where there has been no other."""
    for row in SignedHead.objects.filter(kind=SignedHead.Kind.START).order_by("-pk").iterator():
        if activity_heads.is_valid(row):
            claims = activity_heads.claims(row.token)
            named = frozenset((kind, position, event) for kind, position, event in claims["named"])
            return ChainStart(Head(row.position, bytes(row.hash)), named, claims["last_event"], claims["is_whole"])
    return FIRST


@transaction.atomic
def start(found: Verification, *, note: str, actor: Actor) -> SignedHead:
    """Start a new chain, which names what the last verification found.

    `note` is what whoever looked into it has to say. Raises Conflict when another verification has finished since, and
    KeysNotDecryptable.
    """
    last = Verification.objects.exclude(finished_at=None).first()
    if last is None or last != found or not last.problems:
        raise Conflict("Another verification has finished since. Look at what it found, then start the new chain.")
    named = [Problem(**problem) for problem in last.problems + last.named]
    signed = activity_heads.sign(
        chain.head(),
        SignedHead.Kind.START,
        named=[(problem.kind, problem.position, problem.event) for problem in named],
        last_event=last.last_event,
        is_whole=max(len(last.problems), len(last.named)) < verification.MOST,
    )
    audit.record(
        AuthorityEvent.CHAIN_STARTED,
        actor=actor,
        detail={"position": signed.position + 1, "problems": len(last.problems), "note": note},
    )
    return signed
