"""`clientdesk`: manage OAuth clients from a terminal."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.text import Text

from portal.terminal.commands import clients, doctor, imports, screens, secrets, signing_in, tokens, workspaces
from portal.terminal.output import errors
from portal.terminal.printable import printable
from portal.terminal.problems import Problem

app = typer.Typer(name="clientdesk", no_args_is_help=True, pretty_exceptions_enable=False)
VERBS = {
    "create": "Create clients.",
    "get": "Show clients.",
    "update": "Change a client.",
    "patch": "Change members of a client by JSON Patch.",
    "delete": "Delete clients.",
    "list": "List clients.",
}
verbs = {verb: typer.Typer(no_args_is_help=True, help=text) for verb, text in VERBS.items()}
verbs["import"] = typer.Typer(no_args_is_help=True, help="Bring clients from elsewhere.")
verbs["export"] = typer.Typer(no_args_is_help=True, help="Write clients to a file.")
clients.add_to(verbs)
imports.add_to(verbs)
for verb, group in verbs.items():
    app.add_typer(group, name=verb)
signing_in.add_to(app)
secrets.add_to(app)
tokens.add_to(app)
workspaces.add_to(app)
doctor.add_to(app)
screens.add_to(app)


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


if __name__ == "__main__":
    main()
