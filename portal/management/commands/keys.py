"""`manage.py keys`: list, rotate and revoke signing keys, re-encrypt stored data, and count peppers in use."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from authority.keys import rotation
from authority.keys.signing_keys import KeysNotDecryptable, Purpose, State
from authority.models import SigningKey
from consumers.audit import SYSTEM
from core import credentials
from core.errors import Refusal
from core.jose.algorithms import SigningAlgorithm
from core.timefmt import rfc3339
from portal import peppers, reencryption

ACTOR = replace(SYSTEM, label="manage.py keys")
COLUMNS = ("kid", "purpose", "algorithm", "state", "created_at", "activated_at", "serve_until")


class Command(BaseCommand):
    help = "Signing keys, encryption keys and peppers: list, rotate, revoke. docs/keys.md says when to do which."

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        listing = commands.add_parser("list", help="show the keys that are published, or all that ever were")
        listing.add_argument("--all", action="store_true", help="also revoked keys, and those that no token needs")
        listing.add_argument("--json", action="store_true", help="print JSON")
        rotate = commands.add_parser(
            "rotate", help="let the next keys sign now; tokens signed by the former ones stay valid"
        )
        rotate.add_argument("--purpose", choices=Purpose.values, default=Purpose.TOKENS.value)
        rotate.add_argument("--algorithm", choices=SigningAlgorithm.values, help="only this algorithm's key")
        revoke = commands.add_parser(
            "revoke", help="stop trusting a key: every token that it signed is refused from now on"
        )
        revoke.add_argument("kid", nargs="+", help="the ids of the keys; write -- before one that begins with a dash")
        revoke.add_argument("--yes", action="store_true", help="do not ask")
        commands.add_parser("reencrypt", help="re-encrypt stored data with the first of KEY_ENCRYPTION_KEYS")
        counts = commands.add_parser("peppers", help="count the credentials that need each version of SECRET_PEPPERS")
        counts.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, command: str, **options: Any) -> None:
        try:
            COMMANDS[command](self, **options)
        except (Refusal, KeysNotDecryptable) as refusal:
            raise CommandError(str(refusal)) from None

    def show(self, **options: Any) -> None:
        keys = SigningKey.objects.all() if options["all"] else SigningKey.objects.served()
        rows = [{name: _cell(getattr(key, name)) for name in COLUMNS} for key in keys]
        self.stdout.write(json.dumps(rows, indent=2) if options["json"] else table(rows))

    def rotate(self, *, purpose: str, algorithm: str | None, **options: Any) -> None:
        active = SigningKey.objects.filter(purpose=purpose, state=State.ACTIVE)
        refused = []
        for key in active.filter(algorithm=algorithm) if algorithm else active:
            try:
                promoted = rotation.rotate(key, actor=ACTOR)
            except Refusal as refusal:
                refused.append(f"{key.algorithm}: {refusal.description}")
            else:
                until = _cell(key.serve_until)
                self.stdout.write(f"{key.algorithm}: {promoted.kid} signs now. {key.kid} is published until {until}.")
        if refused:
            raise CommandError("\n".join(refused))

    def revoke(self, *, kid: list[str], yes: bool, **options: Any) -> None:
        keys = list(SigningKey.objects.filter(kid__in=kid))
        if missing := sorted(set(kid) - {key.kid for key in keys}):
            raise CommandError(f"There is no key {', '.join(missing)}. `manage.py keys list --all` shows them.")
        if not yes and not confirmed(
            f"Every token that {', '.join(kid)} signed is refused from now on. Continue? [y/N] "
        ):
            raise CommandError("Nothing was revoked. Answer y at a terminal, or give --yes.")
        # The next keys first: else the one that follows a revoked key may be on the list, too.
        for key in sorted(keys, key=lambda key: key.state != State.NEXT):
            rotation.revoke(key, actor=ACTOR)
            self.stdout.write(f"{key.kid} is revoked.")

    def reencrypt(self, **options: Any) -> None:
        counts = reencryption.reencrypt_all(actor=ACTOR)
        for count in counts:
            lost = f", {count.lost} cannot be opened by any key" if count.lost else ""
            self.stdout.write(f"{count.what}: {count.seen} seen, {count.moved} moved{lost}")
        if not any(count.lost for count in counts):
            self.stdout.write("Everything is encrypted with the first key. The others can be removed.")

    def peppers(self, **options: Any) -> None:
        counts = peppers.in_use()
        versions = sorted({*settings.SECRET_PEPPERS, *(each for count in counts.values() for each in count)}, key=int)
        if options["json"]:
            self.stdout.write(json.dumps({each: {what: counts[what][each] for what in counts} for each in versions}))
            return
        for version in versions:
            found = [f"{count[version]:,} {what}" for what, count in counts.items() if count[version]]
            self.stdout.write(f"{version}: {', '.join(found) or 'in no use'}{_pepper_note(version, bool(found))}")


def _pepper_note(version: str, is_used: bool) -> str:
    if version == credentials.current_pepper():
        return ". New credentials are stored under it"
    if version not in settings.SECRET_PEPPERS:
        return ". It is missing from SECRET_PEPPERS, so these do not work"
    return "" if is_used else ". It can be removed once all processes store new credentials under another"


def _cell(value: Any) -> str:
    return rfc3339(value, "seconds") if isinstance(value, datetime) else str(value or "")


def table(rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> str:
    lines = [columns, *(tuple(row.values()) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def confirmed(question: str) -> bool:
    return sys.stdin.isatty() and input(question).strip().lower() in ("y", "yes")


COMMANDS: dict[str, Callable[..., None]] = {
    "list": Command.show,
    "rotate": Command.rotate,
    "revoke": Command.revoke,
    "reencrypt": Command.reencrypt,
    "peppers": Command.peppers,
}
