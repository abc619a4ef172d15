"""`manage.py verify_audit`: verify the chain of the audit record, and that it agrees with heads kept elsewhere."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from authority.keys import activity_heads
from authority.keys.signing_keys import KeysNotDecryptable
from consumers.activity.chain import Head
from consumers.audit import SYSTEM
from core import foreign_json
from portal import evidence
from portal.activity_check import Report, verify

ACTOR = replace(SYSTEM, label="manage.py verify_audit")
LONGEST_FILE = 16 * 1024  # bytes


class Command(BaseCommand):
    help = (
        "Verify the chain of the audit record. Exits with 0 when it is complete, with 1 when it was changed, and with "
        "2 when it could not be verified. docs/activity.md says what to do then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head", action="append", default=[], metavar="FILE", help="a head that was exported; may be repeated"
        )
        parser.add_argument("--export", action="store_true", help="print the signed head of the record instead")
        parser.add_argument("--evidence", metavar="FILE", help="write the record to a ZIP file, signed, instead")
        parser.add_argument("--threads", type=int, default=2, help="processes of PostgreSQL that work on it")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, *, head: list[str], export: bool, threads: int, **options: Any) -> None:
        if export:
            signed = activity_heads.export(actor=ACTOR)
            self.stdout.write(json.dumps(activity_heads.document(signed), indent=2))
            return
        if options["evidence"] is not None:
            write_evidence(options["evidence"])
            return
        if not 1 <= threads <= 16:
            raise CommandError("--threads takes a number from 1 to 16.", returncode=2)
        report = verify(pinned=[read_head(name) for name in head], threads=threads)
        self.stdout.write(json.dumps(document(report), indent=2) if options["json"] else sentences(report))
        if report.problems:
            sys.exit(1)


def write_evidence(name: str) -> None:
    """Write the evidence to a file of this name, which must be a new one. Raises CommandError."""
    path = Path(name)
    try:
        path.touch(0o600, exist_ok=False)
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}", returncode=2) from None
    try:
        with path.open("wb") as file:
            file.writelines(evidence.export(actor=ACTOR, with_log=True))
    except BaseException as error:
        path.unlink()  # half of it is no evidence
        if isinstance(error, OSError | DatabaseError | KeysNotDecryptable):
            raise CommandError(f"{name} cannot be written: {error}", returncode=2) from None
        raise


def read_head(name: str) -> Head:
    """Return the head in an exported file, or in one that holds its token alone. Raises CommandError."""
    try:
        with Path(name).open(encoding="utf-8") as file:
            text = file.read(LONGEST_FILE).strip()
        return activity_heads.read(
            str(foreign_json.loads(text, max_bytes=LONGEST_FILE)["head"]) if text.startswith("{") else text
        )
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}", returncode=2) from None
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"{name} is no head of this portal’s activity, or was changed.", returncode=2) from None


def document(report: Report) -> dict[str, Any]:
    return {
        "complete": not report.problems and not report.named,
        "sealed": report.sealed,
        "waiting": report.waiting,
        "expired": report.expired,
        "head": {"position": report.head.position, "hash": report.head.hash.hex()},
        "heads": report.heads,
        "problems": [asdict(problem) for problem in report.problems],
        "named": [asdict(problem) for problem in report.named],
    }


def sentences(report: Report) -> str:
    lines = [problem.text for problem in report.problems]
    if lines:
        lines.append("The record was changed. docs/activity.md says what to do.")
    else:
        found = "Nothing new was found" if report.named else "The record is complete"
        lines.append(f"{found}: {report.sealed:,} events, in agreement with {report.heads:,} signed heads.")
    if report.named:
        lines.append("The newest chain names what was found before it:")
        lines += [f"- {problem.text}" for problem in report.named]
    if report.waiting:
        lines.append(f"{report.waiting:,} events have no place in the chain yet: the worker gives them one.")
    if report.expired:
        lines.append(f"A signed head stands for {report.expired:,} events that have expired.")
    return "\n".join(lines)
