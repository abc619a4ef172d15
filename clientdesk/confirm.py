"""Ask before a command that destroys something or stops it."""

import sys
from typing import Annotated

import typer

from clientdesk.errors import FAILED, CommandError

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal, unless --yes was given. Raises CommandError when the answer is no.

    Without a terminal to answer on, the command goes on: that is what Ory's program and kubectl do, so that scripts
    written for them work, and a script that waited for an answer would hang.
    """
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if not typer.confirm(question, err=True):
        raise CommandError("Cancelled. Nothing was changed.", FAILED)
