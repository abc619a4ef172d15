"""`manage.py connections`: apply CONNECTIONS_FILE, say what it would change, and list all connections."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from connections.configuration.applying import apply_file, preview_file
from connections.configuration.reading import WrongFile
from connections.models import Connection
from portal.management.commands.keys import table

COLUMNS = ("slug", "name", "issuer", "sign_in", "source", "state", "people", "domains")


class Command(BaseCommand):
    help = "Connections to identity providers: apply CONNECTIONS_FILE, check it, or show what there is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        for name, words in {
            "apply": "make the connections as the file says, as each server does when it starts",
            "check": "read the file, and say what applying it would change",
        }.items():
            command = commands.add_parser(name, help=words)
            command.add_argument(
                "file", nargs="?", default=settings.CONNECTIONS_FILE, help="by default that of CONNECTIONS_FILE"
            )
        show = commands.add_parser("show", help="show all connections, those that were made on the pages too")
        show.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, command: str, **options: Any) -> None:
        if command == "show":
            self.show(as_json=options["json"])
            return
        if not options["file"]:
            raise CommandError("Name a file, or set CONNECTIONS_FILE.")
        carry_out, none = STEPS[command]
        try:
            changes = carry_out(options["file"])
        except WrongFile as wrong:
            raise CommandError(wrong.description) from None
        self.stdout.write("\n".join(changes) if changes else none)

    def show(self, *, as_json: bool) -> None:
        found = [_row(each) for each in Connection.objects.annotate(people=Count("identities")).order_by("slug")]
        self.stdout.write(json.dumps(found, indent=2) if as_json else table(found, COLUMNS))


def _row(row: Connection) -> dict[str, str]:
    shown = {name: str(getattr(row, name)) for name in COLUMNS if name != "domains"}
    return shown | {"domains": " ".join(row.domains.verified().values_list("name", flat=True))}


STEPS: dict[str, tuple[Callable[[str], list[str]], str]] = {
    "apply": (apply_file, "Nothing has changed."),
    "check": (preview_file, "The file is right, and applying it would change nothing."),
}
