"""The APIs that clients request tokens for, and any other request of the management API."""

from typing import Annotated

import typer

from clientdesk.confirm import Yes, confirm
from clientdesk.errors import USAGE, CommandError
from clientdesk.input import read_json
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

_SCOPE = ["scope", "name", "api", "identifier"]


def list_apis(session: Session) -> None:
    """List the APIs and their scopes, a row for each scope."""
    rows = [
        {"scope": scope["value"], "name": scope["name"], "api": api["name"], "identifier": api["identifier"]}
        for api in session.api.list_all("/admin/apis")
        for scope in api["scopes"]
    ]
    session.printer.show(rows, _SCOPE, identifier="scope")


def call_api(
    session: Session,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="get, post, put, patch or delete.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Such as /admin/apis, as in the API reference.")],
    file: Annotated[
        str | None, typer.Option("--file", metavar="FILE", help="The body: JSON in a file, or “-” for standard input.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Send any request of the management API, and print the answer as JSON."""
    if method.upper() not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        raise CommandError("The method is get, post, put, patch or delete.", USAGE)
    if not path.startswith("/admin/"):
        raise CommandError("The path begins with /admin/, as in the API reference.", USAGE)
    body = {"json": read_json(file)} if file else {}
    if method.upper() == "DELETE":
        confirm(f"Send DELETE {path}?", yes=yes)
    found = session.api.json(method.upper(), path, **body)
    if found is None:
        session.printer.say("Done.")
    else:
        session.printer.dump(found)


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    verbs.add("list", "apis", command(list_apis))
    app.command("api")(command(call_api))
