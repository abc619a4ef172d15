"""The people who are signed in to a client."""

from typing import Annotated

import typer

from clientdesk.api_client import path_segment
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import USAGE, CommandError
from clientdesk.session import ClientId, Session, command
from clientdesk.verbs import Verbs

_COLUMNS = ["subject", "name", "email", "is_member", "scopes", "device", "signed_in_at", "last_used_at"]
Subject = Annotated[
    str, typer.Argument(metavar="SUBJECT", help="What tokens call the person: their `sub`.", show_default=False)
]


def list_people(
    session: Session,
    *,
    client_id: ClientId,
    subject: Annotated[str | None, typer.Option("--subject", metavar="TEXT", help="Only this person.")] = None,
    page_size: Annotated[int, typer.Option(metavar="NUMBER", help="How many to a page, at most 500.")] = 100,
    page_token: Annotated[str | None, typer.Option(metavar="TEXT", help="Continue from this page.")] = None,
    all_pages: Annotated[bool, typer.Option("--all", help="List every page.")] = False,
) -> None:
    """List the people who are signed in to a client, the latest sign-in first.

    A name is shown where the client was granted the scope `profile`, an address where it was granted `email`.
    """
    pages = session.api.pages(_path(client_id), page_size=page_size, page_token=page_token, subject=subject)
    first = next(pages)
    rows = [row for page in (first, *pages) for row in page.rows] if all_pages else first.rows
    session.printer.show(rows, _COLUMNS, identifier="subject")
    if first.next_token and not all_pages:
        session.printer.say(f"There are more: --page-token {first.next_token}, or --all.")


def get_person(session: Session, client_id: ClientId, subject: Subject) -> None:
    """Show a person who is signed in to a client."""
    found = session.api.json("GET", f"{_path(client_id)}/{path_segment(subject)}")
    session.printer.show(found, _COLUMNS, identifier="subject")


def revoke_person(
    session: Session,
    client_id: ClientId,
    subject: Annotated[
        str | None, typer.Argument(metavar="[SUBJECT]", help="Whom to sign out: their `sub`.", show_default=False)
    ] = None,
    *,
    everybody: Annotated[bool, typer.Option("--all", help="Sign everybody out.")] = False,
    yes: Yes = False,
) -> None:
    """Sign a person out of a client, or with --all everybody. Accounts are not touched."""
    if everybody == (subject is not None):
        raise CommandError("Name one person by their subject, or give --all.", USAGE)
    if subject is not None:
        path = f"{_path(client_id)}/{path_segment(subject)}"
        confirm(f"Sign {subject} out of {client_id}, on all of their devices?", yes=yes)
        session.api.request("DELETE", path)
        session.printer.say(f"{subject} is signed out of {client_id}.")
    else:
        confirm(f"Sign everybody out of {client_id}?", yes=yes)
        session.api.request("DELETE", _path(client_id))
        session.printer.say(f"Everybody is signed out of {client_id}.")


def _path(client_id: str) -> str:
    return f"/admin/clients/{path_segment(client_id)}/people"


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "people", command(list_people))
    verbs.add("get", "person", command(get_person))
    verbs.add("revoke", "people", command(revoke_person))
