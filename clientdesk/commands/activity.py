"""The activity, and how many tokens were issued."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from clientdesk.errors import USAGE, CommandError
from clientdesk.files import replacing
from clientdesk.output import writing
from clientdesk.sanitize import sanitize
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

_EVENT = ["at", "sentence", "ip"]
_DAY = ["day", "client_id", "consumer", "issued", "refused"]
OfConsumer = Annotated[str | None, typer.Option("--consumer", metavar="TEXT", help="Only of this consumer.")]
OfClient = Annotated[str | None, typer.Option("--client-id", metavar="TEXT", help="Only of this client.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="From this time on, such as 2027-01-31T12:00:00Z.")
]


def list_activity(
    session: Session, consumer: OfConsumer = None, client_id: OfClient = None, since: Since = None
) -> None:
    """Show who did what, the latest first."""
    query = {"consumer": consumer, "client_id": client_id, "since": since}
    session.printer.show(next(session.api.pages("/admin/activity", **query)).rows, _EVENT, identifier="id")


def export_activity(
    session: Session,
    *,
    file: Annotated[str, typer.Option("--file", metavar="FILE", help="Where to; “-” is standard output.")] = "-",
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV instead of JSON Lines.")] = False,
    consumer: OfConsumer = None,
    client_id: OfClient = None,
    since: Since = None,
) -> None:
    """Write the whole activity, the oldest first: one JSON object a line, or CSV."""
    query = {"consumer": consumer, "client_id": client_id, "since": since, "format": "csv" if csv else "jsonl"}
    given = {name: value for name, value in query.items() if value}
    with open_output(file) as target:
        try:
            with session.api.stream("/admin/activity/export", given) as chunks:
                for text in chunks:
                    target.write(sanitize(text) if target.isatty() else text)
        except CommandError as error:
            message = f"The export is not complete. {error}"
            raise CommandError(message, error.status, error.code) from None
    if file != "-":
        session.printer.say(f"Written to {file}.")


def list_usage(
    session: Session,
    consumer: OfConsumer = None,
    client_id: OfClient = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="From this day on, such as 2027-01-31.")] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Before this day.")] = None,
) -> None:
    """Show how many tokens clients got, and how many requests were refused, by day."""
    query = {"consumer": consumer, "client_id": client_id, "since": since, "until": until}
    session.printer.show(session.api.list_all("/admin/usage", **query), _DAY)


@contextmanager
def open_output(file: str) -> Iterator[TextIO]:
    """Give a file that only its owner can read, whole or as it was before, or standard output for `-`.

    Raises CommandError.
    """
    if file == "-":
        with writing():
            yield sys.stdout
        return
    path = Path(file)
    try:
        # A pipe or a device, such as /dev/stdout, takes what comes, and can't be replaced.
        is_special = path.exists() and not path.is_file() and not path.is_dir()
        with path.open("w", encoding="utf-8") if is_special else replacing(path) as target:
            yield target
    except OSError as error:
        raise CommandError(f"{file} can't be written: {error.strerror}.", USAGE) from None


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "activity", command(list_activity))
    verbs.add("export", "activity", command(export_activity))
    verbs.add("list", "usage", command(list_usage))
