"""Problems in words: what each reason means, and what a developer does about it."""

from authority.inspection.failures import CODES
from authority.models import Problem
from authority.problems import (  # noqa: F401  # they register their words
    assertions,
    grants,
    proofs,
    requests,
    senders,
    workloads,
)
from authority.problems.words import TOLD, Words, answered
from clients.models import Client

__all__ = ["TOLD", "Words", "describe"]


def describe(problem: Problem, client: Client) -> Words:
    teller = TOLD.get(problem.kind)
    return teller(client, problem.detail) if teller else other(problem)


def other(problem: Problem) -> Words:
    """Tell what has no words of its own as the inspector tells its code, with what the answer said."""
    title, todo = CODES.get(
        problem.error,
        (
            f"A request was refused with {problem.error or problem.kind}",
            "Read error_description in the answer that the program got.",
        ),
    )
    return Words(title, answered(problem.detail), todo)
