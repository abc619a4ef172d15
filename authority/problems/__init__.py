"""Problems in words: what each reason means, and what a developer does about it."""

from authority.models import Problem
from authority.problems import (  # noqa: F401  # they register their words
    assertions,
    grants,
    proofs,
    requests,
    senders,
    workloads,
)
from authority.problems.words import TOLD, Words
from clients.models import Client

__all__ = ["TOLD", "Words", "describe"]


def describe(problem: Problem, client: Client) -> Words:
    teller = TOLD.get(problem.kind)
    return teller(client, problem.detail) if teller else other(problem)


def other(problem: Problem) -> Words:
    return Words(
        f"A request was refused with {problem.error or problem.kind}",
        "The answer says what was wrong with the request itself.",
        "Read error_description in the answer that the program got.",
    )
