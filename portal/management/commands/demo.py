"""`manage.py demo`: create the demo's data, and print who can sign in."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.demo import data


class Command(BaseCommand):
    help = "Make the demo's people, consumers, APIs and clients (once), and print who can sign in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document instead of sentences")

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is a production server; the demo's people do not belong on it.")
        call_command("migrate", verbosity=0)
        made = data.build()
        self.stdout.write(json.dumps(made, indent=2) if options["json"] else sentences(made))


def sentences(made: dict[str, Any]) -> str:
    lines = [
        "",
        f"  Clientdesk's demo: {made['portal_url']}",
        "",
        f"  {'Operator':<10} {made['operator']['email']:<26} signs in at {made['operator']['url']}",
    ]
    for manager in made["managers"]:
        lines.append(f"  {manager['role'].title():<10} {manager['email']:<26} of {manager['consumer']}")
    lines += ["", f"  Everybody's password: {made['operator']['password']}"]
    if made["mail_url"]:
        lines.append(f"  Mail is read at:      {made['mail_url']}")
    return "\n".join([*lines, ""])
