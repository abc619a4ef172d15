"""`manage.py reset_second_factor`: let somebody in again who has lost passkey, app and recovery codes."""

import sys
from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consumers.actions.people import reset_second_factor
from consumers.audit import SYSTEM
from consumers.models import User
from core.errors import Refusal
from core.text import replace_unsafe

ACTOR = replace(SYSTEM, label="manage.py reset_second_factor")


class Command(BaseCommand):
    help = "Remove a person's passkeys, authenticator app and recovery codes, and sign them out. They set up new ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the person's email address")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, email: str, yes: bool, **options: Any) -> None:
        person = User.objects.of_address(email.strip()).first()
        if person is None:
            raise CommandError(f"There is no account for {replace_unsafe(email, lambda _: '')}.")
        if not yes and not _confirmed(
            f"{person.email} is signed out everywhere, and signs in without a second factor until a new one is set up. "
            "All operators are told by mail. Continue? [y/N] "
        ):
            raise CommandError("Nothing was removed.")
        try:
            removed = reset_second_factor(person=person, actor=ACTOR)
        except Refusal as refusal:
            raise CommandError(refusal.description) from None
        self.stdout.write(f"{removed} removed. {person.email} can sign in by password or emailed code now.")


def _confirmed(question: str) -> bool:
    return sys.stdin.isatty() and input(question).strip().lower() in ("y", "yes")
