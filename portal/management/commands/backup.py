"""`manage.py backup`: the database in a folder, without the keys that open it."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from portal import backup


class Command(BaseCommand):
    help = "Back up the database into a new folder, while the server runs. The keys of the environment stay out of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where to; it must not exist yet")

    def handle(self, *, folder: Path, **options: Any) -> None:
        try:
            made = backup.create(folder)
        except backup.BackupError as error:
            raise CommandError(str(error)) from None
        except Error as error:
            raise CommandError(f"The database does not answer: {str(error).partition('\n')[0]}") from None
        rows = sum(made["tables"].values())
        self.stdout.write(
            f"{folder}: {len(made['tables'])} tables with {rows:,} rows in {made['bytes']:,} bytes, "
            f"in {made['seconds']:.1f} s.\n"
            f"It holds what was committed until {made['made_at']}; a restore loses whatever is written after that.\n"
            f"A restore needs these, which are not in it:\n"
            f"  KEY_ENCRYPTION_KEYS: the {len(made['encryption_keys'])} of now, "
            f"with the fingerprints {', '.join(made['encryption_keys'])}\n"
            f"  SECRET_PEPPERS: {_versions(made['peppers'])}"
        )


def _versions(peppers: dict[str, str]) -> str:
    told = [f"version {version} ({fingerprint})" for version, fingerprint in peppers.items()]
    return ", ".join(told) or "none, for no credential is stored"
