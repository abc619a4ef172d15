"""`activity` and `usage`: who did what, and how many tokens came of it."""

import sys
from typing import Annotated

import typer

from clientdesk.printable import printable
from clientdesk.session import Session, command

EVENT = ["at", "sentence", "ip"]
DAY = ["day", "client_id", "consumer", "issued", "refused"]


def activity(
    session: Session,
    *,
    consumer: Annotated[str | None, typer.Option(metavar="TEXT", help="Only in this consumer.")] = None,
    client_id: Annotated[str | None, typer.Option(metavar="TEXT", help="Only what was done to this client.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Not before, such as 2027-01-31T12:00:00Z.")] = None,
    lines: Annotated[bool, typer.Option("--jsonl", help="Everything, one JSON object a line.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Everything, for a spreadsheet.")] = False,
) -> None:
    """Show who did what, the latest first."""
    asked = {"consumer": consumer, "client_id": client_id, "since": since}
    query = {name: value for name, value in asked.items() if value}
    if lines or csv:
        shape = {"format": "csv" if csv else "jsonl"}
        with session.remote.stream("/admin/activity/export", query | shape) as parts:
            for text in parts:
                sys.stdout.write(printable(text) if sys.stdout.isatty() else text)
        return
    session.printer.show(next(session.remote.pages("/admin/activity", **query)).rows, EVENT, identifier="id")


def usage(
    session: Session,
    consumer: Annotated[str | None, typer.Option(metavar="TEXT", help="Only of this consumer.")] = None,
    client_id: Annotated[str | None, typer.Option(metavar="TEXT", help="Only of this client.")] = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="Not before, such as 2027-01-31.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Not after.")] = None,
) -> None:
    """Show how many tokens clients got, and how often they were refused, by day."""
    query = {"consumer": consumer, "client_id": client_id, "since": since, "until": until}
    session.printer.show(session.remote.everything("/admin/usage", **query), DAY)


def add_to(app: typer.Typer) -> None:
    app.command("activity")(command(activity))
    app.command("usage")(command(usage))
