"""The program `clientdesk`: its commands, and what `main` makes of their errors."""

import io
import os
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from rich.text import Text

from clientdesk.commands import (
    activity,
    api,
    apis,
    clients,
    connections,
    consumers,
    directories,
    doctor,
    import_export,
    joining_rules,
    login,
    logins,
    members,
    people,
    perform,
    registration,
    requests,
    roles,
    secrets,
    test_tokens,
    tokens,
    tui,
)
from clientdesk.errors import FAILED, USAGE, CommandError
from clientdesk.output import stderr
from clientdesk.sanitize import sanitize
from clientdesk.verbs import VERBS, Verbs

_EXIT_STATUSES = (
    "Exit status: 0 done, 1 refused or failed, 2 wrong command line, 3 not signed in or not allowed, 4 not found, "
    "5 changed by somebody else meanwhile, 6 no answer from the server, 130 stopped by Ctrl-C."
)
app = typer.Typer(name="clientdesk", no_args_is_help=True, pretty_exceptions_enable=False, epilog=_EXIT_STATUSES)
_verbs = Verbs()
for module in (
    activity,
    apis,
    clients,
    connections,
    consumers,
    directories,
    import_export,
    joining_rules,
    logins,
    members,
    people,
    requests,
    perform,
    registration,
    roles,
    secrets,
    test_tokens,
    tokens,
):
    module.add_to(_verbs)
for verb in VERBS:
    app.add_typer(_verbs.groups[verb], name=verb, rich_help_panel="Commands, each with a noun: clientdesk list clients")
for module in (login, doctor, tui):
    module.add_to(app)
api.add_to(app, _verbs)
for each in app.registered_commands:
    each.rich_help_panel = "This program"


def _show_version(asked: bool) -> None:
    if asked:
        print(f"clientdesk {version('clientdesk')}")
        raise typer.Exit


@app.callback()
def start(
    asked: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Manage OAuth clients from a terminal.

    Begin with `clientdesk login --endpoint https://portal.example.com`, and `clientdesk list clients`.
    """


def main() -> None:
    """Run a command. A CommandError becomes one sentence on standard error and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # characters that the terminal's encoding lacks
    try:
        app()
    except CommandError as error:
        _exit(error)
    except UnicodeError:  # an argument of bytes that are not UTF-8, which Python reads as lone surrogates
        _exit(CommandError("One of the words that you gave is not text in UTF-8.", USAGE))
    except BrokenPipeError:  # the reader of the pipe has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


def _exit(error: CommandError) -> NoReturn:
    stderr.print(Text(sanitize(str(error)), style="red"))
    sys.exit(error.status)


if __name__ == "__main__":
    main()
