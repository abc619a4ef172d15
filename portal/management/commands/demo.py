"""`manage.py demo`: create the demo's data, and print who can sign in."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from authority.keys import checks
from authority.models import SigningKey
from consumers.models import Event, User
from core.models import DemoMark
from portal.demo import data


class Command(BaseCommand):
    help = "Make the demo's people, consumers, APIs and clients (once), and print who can sign in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document instead of sentences")

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This is a production server; the demo's people do not belong on it.")
        call_command("migrate", verbosity=0)
        checks.exit_unless_decryptable()
        require_own_database()
        made = data.build()
        self.stdout.write(json.dumps(made, indent=2) if options["json"] else sentences(made))


def require_own_database() -> None:
    """Refuse a database that somebody else has filled: its operators would get a stranger with a known password.

    The embedded server is the demo's own; elsewhere the mark in the database decides. Raises CommandError.
    """
    embedded = (settings.DATA_DIR / "postgres").resolve()
    if DemoMark.objects.exists():
        return
    is_ours = connection.settings_dict.get("HOST") == str(embedded)
    if not is_ours and (User.objects.exists() or Event.objects.exists() or SigningKey.objects.exists()):
        raise CommandError(
            "This database holds what no demo has made, so the demo's people do not belong into it. "
            "Name an empty one in DATABASE_URL, or none for the embedded one."
        )
    DemoMark.objects.create()


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
