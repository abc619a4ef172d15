"""`apis`, and `api`, by which a terminal reaches what the management API offers and no command has."""

from typing import Annotated

import typer

from clientdesk.problems import USAGE, Problem
from clientdesk.reading import read_document
from clientdesk.session import Session, command

SCOPE = ["scope", "name", "api", "identifier"]


def apis(session: Session) -> None:
    """List the APIs and the permissions that clients ask for with --scope."""
    rows = [
        {"scope": scope["value"], "name": scope["name"], "api": api["name"], "identifier": api["identifier"]}
        for api in session.remote.everything("/admin/apis")
        for scope in api["scopes"]
    ]
    session.printer.show(rows, SCOPE, identifier="scope")


def api(
    session: Session,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="get, post, put, patch or delete.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Such as /admin/apis, as the reference has it.")],
    file: Annotated[
        str | None, typer.Option("--file", metavar="FILE", help="The body: JSON in a file, or “-” for standard input.")
    ] = None,
) -> None:
    """Send any request of the management API, and print the answer as JSON."""
    if method.upper() not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        raise Problem("The method is get, post, put, patch or delete.", USAGE)
    if not path.startswith("/admin/"):
        raise Problem("The path begins with /admin/, as in the portal's reference.", USAGE)
    body = {"json": read_document(file)} if file else {}
    found = session.remote.json(method.upper(), path, **body)
    if found is None:
        session.printer.say("Done.")
    else:
        session.printer.dump(found)


def add_to(app: typer.Typer) -> None:
    app.command("apis")(command(apis))
    app.command("api")(command(api))
