"""`manage.py restore`: a backup into an empty database."""

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from consumers.audit import SYSTEM
from portal import backup

ACTOR = replace(SYSTEM, label="manage.py restore")


class Command(BaseCommand):
    help = "Restore a backup into an empty database, with no server running on it, and check it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="what `manage.py backup` has written")

    def handle(self, *, folder: Path, **options: Any) -> None:
        try:
            made = backup.restore(folder, actor=ACTOR)
        except backup.BackupError as error:
            raise CommandError(str(error)) from None
        except Error as error:
            raise CommandError(f"The database does not answer: {str(error).partition('\n')[0]}") from None
        self.stdout.write(
            f"Restored {sum(made['tables'].values()):,} rows in {made['seconds']:.1f} s (RTO), and checked that keys "
            f"and peppers open them.\n"
            f"What was written after {made['made_at']}, {_age(made['age'])} ago, is lost (RPO). What was revoked, "
            "disabled or removed since works again: do it once more."
        )
        if missing := backup.missing_migrations(made):
            plural = "" if missing == 1 else "s"
            self.stdout.write(
                f"The backup is {missing} migration{plural} older than this version: run manage.py migrate."
            )


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
