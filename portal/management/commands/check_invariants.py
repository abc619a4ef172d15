"""`manage.py check_invariants`: what must be true of the database, whatever happened to the server."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from portal.invariants import SECONDS, Outcome, check_all


class Command(BaseCommand):
    help = (
        "Ask the database for rows that must not be. Exits with 0 when there are none, with 1 and their names when "
        "there are, and with 2 when something could not be asked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seconds", type=int, default=SECONDS, help="for each question")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *, seconds: int, json: bool, **options: Any) -> None:
        outcomes = list(check_all(max(seconds, 1)))
        self.stdout.write(as_json(outcomes) if json else sentences(outcomes))
        if any(outcome.rows for outcome in outcomes):
            sys.exit(1)
        if any(outcome.failed for outcome in outcomes):
            sys.exit(2)


def as_json(outcomes: list[Outcome]) -> str:
    found = [
        {
            "name": outcome.invariant.name,
            "sentence": outcome.invariant.sentence,
            "rows": outcome.rows,
            "failed": outcome.failed,
        }
        for outcome in outcomes
    ]
    return json.dumps(
        {"hold": not any(each["rows"] or each["failed"] for each in found), "invariants": found}, indent=2
    )


def sentences(outcomes: list[Outcome]) -> str:
    lines = []
    for outcome in outcomes:
        if outcome.rows:
            lines.append(f"{outcome.invariant.name}: not true: {outcome.invariant.sentence}")
            lines += [f"    {row}" for row in outcome.rows]
        elif outcome.failed:
            lines.append(f"{outcome.invariant.name}: could not be asked: {outcome.failed}")
    held = sum(not (outcome.rows or outcome.failed) for outcome in outcomes)
    return "\n".join([*lines, f"{held} of {len(outcomes)} invariants hold."])
