"""`clientdesk`: manage OAuth clients from a terminal."""

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.text import Text

from portal.terminal.commands import (
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
from portal.terminal.output import errors
from portal.terminal.printable import printable
from portal.terminal.problems import FAILED, Problem

app = typer.Typer(name="clientdesk", no_args_is_help=True, pretty_exceptions_enable=False)
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
    """Manage OAuth clients from a terminal."""


def main() -> None:
    """Run a command; a Problem becomes one sentence and an exit status."""
    try:
        app()
    except Problem as problem:
        errors.print(Text(printable(str(problem)), style="red"))
        sys.exit(problem.status)
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
