"""Messages for the problem log: what each reason means, and what to do about it."""

from authority.diagnostics.error_codes import CODES
from authority.diagnostics.problem_messages import (  # noqa: F401  # each adds its messages
    assertions,
    grants,
    proofs,
    requests,
    senders,
    workloads,
)
from authority.diagnostics.problem_messages.messages import MESSAGES, ProblemMessage, error_description
from authority.models import Problem
from clients.models import Client

__all__ = ["MESSAGES", "ProblemMessage", "describe"]


def describe(problem: Problem, client: Client) -> ProblemMessage:
    function = MESSAGES.get(problem.kind)
    return function(client, problem.detail) if function else _other(problem)


def _other(problem: Problem) -> ProblemMessage:
    """Describe a problem without a message of its own by its error code and the response's description."""
    title, todo = CODES.get(
        problem.error,
        (
            f"A request was refused with {problem.error or problem.kind}",
            "Read error_description in the response that the program got.",
        ),
    )
    return ProblemMessage(title, error_description(problem.detail), todo)
