"""`import` and `export` of OAuth clients: from Hydra, Keycloak, Auth0 and other Clientdesks."""

import json
import os
from typing import Annotated, Any

import typer
from rich.progress import track

from clientdesk import foreign
from clientdesk.foreign.carried import Carried
from clientdesk.output import errors
from clientdesk.problems import FAILED, USAGE, Problem
from clientdesk.reading import read_document
from clientdesk.session import Session, command

Row = dict[str, Any]
CARD = ["former_client_id", "client_name", "client_id", "client_secret", "refused", "not_carried"]
FOR_OPERATORS = ("skip_consent", "skip_logout_consent")

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Exports: of `hydra list oauth2-clients --format json`, a Keycloak realm, Auth0's clients, or `clientdesk "
        "export`. “-” is standard input.",
        show_default=False,
    ),
]
Whose = Annotated[
    str | None,
    typer.Option("--consumer", metavar="TEXT", help="Whom they shall belong to; needed where you reach several."),
]


def bring(
    session: Session,
    files: Files,
    consumer: Whose = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of each.")] = False,
) -> None:
    """Register the clients of an export here, and say of each what could not be carried."""
    carried = [each for file in files for each in foreign.read(read_document(file), file)]
    rows = []
    for each in track(carried, "Importing", console=errors, transient=True, disable=not errors.is_terminal):
        rows.append(row(each) if dry_run or not each.is_client else register(session, each, consumer))
    session.printer.show_each(rows, CARD)
    if any(found["client_secret"] for found in rows):
        session.printer.say("Keep the secrets now: they are shown this once.")
    refused = [found for found in rows if found["refused"]]
    if refused:
        raise Problem(
            f"{len(refused)} of {len(rows)} clients were refused. Correct the file, and import those again.", FAILED
        )


def register(session: Session, carried: Carried, consumer: str | None) -> Row:
    body = carried.document | ({"consumer": consumer} if consumer else {})
    try:
        return row(carried, session.remote.json("POST", "/admin/clients", json=body))
    except Problem as problem:
        if not problem.code:  # the server is gone: the rest would fail alike
            raise
        asked = [name for name in FOR_OPERATORS if carried.document.pop(name, None)]
        if not asked:
            return row(carried, refused=str(problem))
        carried.lost += [f"{name}: only operators set it" for name in asked]
        return register(session, carried, consumer)


def row(carried: Carried, made: Row | None = None, refused: str = "") -> Row:
    made = made or {}
    return {
        "former_client_id": carried.former_id,
        "client_id": made.get("client_id", ""),
        "client_secret": made.get("client_secret", ""),
        "client_name": carried.document.get("client_name", ""),
        "not_carried": carried.lost,
        "refused": refused,
    }


def export(
    session: Session,
    file: Annotated[str, typer.Option("--file", metavar="FILE", help="Where to; “-” is standard output.")] = "-",
    consumer: Annotated[str | None, typer.Option(metavar="TEXT", help="Only those of this consumer.")] = None,
) -> None:
    """Write every client as JSON, as `import` reads it. Secrets are not among it: nobody can read them."""
    clients: list[Row] = []
    with errors.status("Reading clients …") as status:
        for page in session.remote.pages("/admin/clients", page_size=500, consumer=consumer):
            clients += page.rows
            status.update(f"{len(clients):,} clients …")
    text = json.dumps(clients, indent=2)
    if file == "-":
        print(text)
        return
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
            target.write(text + "\n")
    except OSError as error:
        raise Problem(f"{file} can't be written: {error.strerror}.", USAGE) from None
    session.printer.say(f"Written to {file}.")


def add_to(verbs: dict[str, typer.Typer]) -> None:
    for spelling, hidden in {"oauth2-client": True, "oauth2-clients": False}.items():
        verbs["import"].command(spelling, hidden=hidden)(command(bring))
        verbs["export"].command(spelling, hidden=hidden)(command(export))
