"""`clientdesk`: manage OAuth clients from a terminal."""

import io
import os
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from clientdesk.commands import (
    clients,
    doctor,
    everything,
    imports,
    records,
    registration,
    screens,
    secrets,
    signing_in,
    tokens,
    trials,
    workspaces,
)
from clientdesk.output import errors
from clientdesk.printable import printable
from clientdesk.problems import FAILED, USAGE, Problem

STATUSES = (
    "Exit status: 0 done, 1 refused or failed, 2 wrong command line, 3 not signed in or not allowed, 4 no such thing, "
    "5 changed by somebody else meanwhile, 6 no answer from the server."
)
app = typer.Typer(name="clientdesk", no_args_is_help=True, pretty_exceptions_enable=False, epilog=STATUSES)
VERBS = {
    "create": "Create clients.",
    "get": "Show clients.",
    "update": "Change a client.",
    "patch": "Change members of a client by JSON Patch.",
    "delete": "Delete clients, or end their tokens.",
    "list": "List clients.",
    "enable": "Let disabled clients in again.",
    "disable": "Refuse every request of clients.",
}
verbs = {verb: typer.Typer(no_args_is_help=True, help=text) for verb, text in VERBS.items()}
verbs["import"] = typer.Typer(no_args_is_help=True, help="Bring clients from elsewhere.")
verbs["export"] = typer.Typer(no_args_is_help=True, help="Write clients to a file.")
clients.add_to(verbs)
imports.add_to(verbs)
for verb, group in verbs.items():
    app.add_typer(group, name=verb)
signing_in.add_to(app)
for module in (secrets, tokens, workspaces, registration, records, everything, doctor, screens):
    module.add_to(app)
trials.add_to(app, verbs)
# Where the help shows a command; by the name that it has there.
PANELS = {
    "Clients": (*verbs, "secrets", "rotate-secret", "lifespans"),
    "Tokens": ("token", "introspect", "revoke", "identity-token", "test-token"),
    "Workspaces": ("consumers", "managers", "apis", "registration", "activity", "usage"),
    "This program": ("login", "logout", "tui", "doctor", "api"),
}
for panel, names in PANELS.items():
    for command in app.registered_commands:
        command.rich_help_panel = panel if command.name in names else command.rich_help_panel
    for commands in app.registered_groups:
        commands.rich_help_panel = panel if commands.name in names else commands.rich_help_panel


def show_version(asked: bool) -> None:
    if asked:
        print(f"clientdesk {version('clientdesk')}")
        raise typer.Exit


@app.callback()
def start(
    asked: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Manage OAuth clients from a terminal.

    Begin with `clientdesk login --endpoint https://portal.example.com`, and `clientdesk list oauth2-clients`.
    """


def main() -> None:
    """Run a command; a Problem becomes one sentence and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where the terminal knows fewer characters than we say
    try:
        app()
    except Problem as problem:
        stop(problem)
    except UnicodeError:  # an argument of bytes that are no text, which Python carries as halves of surrogate pairs
        stop(Problem("One of the words that you gave is no text in UTF-8.", USAGE))
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


def stop(problem: Problem) -> NoReturn:
    errors.print(Text(printable(str(problem)), style="red"))
    sys.exit(problem.status)


if __name__ == "__main__":
    main()
