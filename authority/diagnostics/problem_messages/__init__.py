"""Problems in words: what each reason means, and what a developer does about it."""

from authority.diagnostics.error_codes import CODES
from authority.diagnostics.problem_messages import (  # noqa: F401  # each adds its messages
    assertions,
    grants,
    proofs,
    requests,
    senders,
    workloads,
)
from authority.diagnostics.problem_messages.messages import TOLD, Words, answered
from authority.models import Problem
from clients.models import Client

__all__ = ["TOLD", "Words", "describe"]


def describe(problem: Problem, client: Client) -> Words:
    teller = TOLD.get(problem.kind)
    return teller(client, problem.detail) if teller else _other(problem)


def _other(problem: Problem) -> Words:
    """Tell what has no words of its own as the inspector tells its code, with what the answer said."""
    title, todo = CODES.get(
        problem.error,
        (
            f"A request was refused with {problem.error or problem.kind}",
            "Read error_description in the answer that the program got.",
        ),
    )
    return Words(title, answered(problem.detail), todo)
