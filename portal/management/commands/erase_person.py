"""`manage.py erase_person`: erase a person from every table and from the record."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict, replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from consumers.actions.erasure import Erasure, erase_person
from consumers.audit import SYSTEM
from core.errors import Refusal

ACTOR = replace(SYSTEM, label="manage.py erase_person")


class Command(BaseCommand):
    help = (
        "Erase a person, by their address, from every table and from the record, where a pseudonym stands in their "
        "place. docs/deploy.md says what stays, and how long backups hold what was erased."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "email", help="an address of the person, or one that was invited; or the subject of an end user"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be erased, and change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--without-manager",
            action="append",
            default=[],
            metavar="CONSUMER",
            help="the short name of a consumer that may be left without a manager; may be repeated",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(
        self, *, email: str, dry_run: bool, yes: bool, without_manager: list[str], json: bool, **options: Any
    ) -> None:
        tell = as_json if json else sentences
        if dry_run or not yes:
            planned = run(email, without_manager, dry=True)
            self.stdout.write(tell(planned, done=False))
            if dry_run:
                return
            if not (
                sys.stdin.isatty() and input("This cannot be undone. Type the address to erase: ").strip() == email
            ):
                raise CommandError("Nothing was erased.")
        self.stdout.write(tell(run(email, without_manager, dry=False), done=True))


def run(email: str, without_manager: list[str], *, dry: bool) -> Erasure:
    """Erase the person; of a dry run, everything is undone. Raises CommandError."""
    with transaction.atomic():
        try:
            erasure = erase_person(email=email, without_manager=without_manager, actor=ACTOR)
        except Refusal as refusal:
            raise CommandError(refusal.description) from None
        transaction.set_rollback(dry)
    return erasure


def as_json(erasure: Erasure, *, done: bool) -> str:
    return json.dumps({"erased": done} | asdict(erasure), indent=2)


def sentences(erasure: Erasure, *, done: bool) -> str:
    was = "was" if done else "would be"
    lines = [f"{erasure.events:,} events: the person {was} replaced by “{erasure.pseudonym}”."]
    lines += [f"{kind}: {number:,} rows {was} deleted." for kind, number in sorted(erasure.deleted.items())]
    lines += [f"{kind}: {number:,} rows {was} changed." for kind, number in sorted(erasure.changed.items())]
    return "\n".join(lines)
