"""`import` and `export` of OAuth clients: from Hydra, Keycloak, Auth0 and other Clientdesks."""

import json
import os
from typing import Annotated, Any

import typer
from rich.progress import track

from portal.terminal import foreign
from portal.terminal.flags import read_json
from portal.terminal.output import errors, read_input
from portal.terminal.problems import FAILED, Problem
from portal.terminal.session import Session, command

COLUMNS = ["former_client_id", "client_id", "client_secret", "client_name", "not_carried", "refused"]

Files = Annotated[
    list[str],
    typer.Argument(
        help="Exports: of `hydra list oauth2-clients --format json`, a Keycloak realm, Auth0's clients, or `clientdesk "
        "export`. “-” is standard input.",
        show_default=False,
    ),
]


def bring(
    session: Session,
    files: Files,
    consumer: Annotated[str | None, typer.Option(help="Whom they shall belong to; needed by operators.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would become of each.")] = False,
) -> None:
    """Register the clients of an export here, and say of each what could not be carried."""
    carried = [each for file in files for each in foreign.read(read_json(read_input(file), file))]
    rows = []
    for each in track(carried, "Importing", console=errors, transient=True, disable=not errors.is_terminal):
        rows.append(register(session, each, consumer) if not dry_run else row(each, each.document))
    session.printer.show(rows, COLUMNS)
    refused = [found for found in rows if found["refused"]]
    if refused:
        raise Problem(
            f"{len(refused)} of {len(rows)} clients were refused. Correct the file, and import those again.", FAILED
        )


def register(session: Session, carried: foreign.Carried, consumer: str | None) -> dict[str, Any]:
    body = carried.document | ({"consumer": consumer} if consumer else {})
    try:
        return row(carried, session.remote.json("POST", "/admin/clients", json=body))
    except Problem as problem:
        if not problem.code:  # the server is gone: the rest would fail alike
            raise
        return row(carried, carried.document, refused=str(problem))


def row(carried: foreign.Carried, client: dict[str, Any], refused: str = "") -> dict[str, Any]:
    return {
        "former_client_id": carried.former_id,
        "client_id": client.get("client_id", ""),
        "client_secret": client.get("client_secret", ""),
        "client_name": client.get("client_name", ""),
        "not_carried": carried.lost,
        "refused": refused,
    }


def export(
    session: Session,
    file: Annotated[str, typer.Option("--file", help="Where to; “-” is standard output.")] = "-",
    consumer: Annotated[str | None, typer.Option(help="Only those of this consumer.")] = None,
) -> None:
    """Write every client as JSON, as `import` reads it. Secrets are not among it: nobody can read them."""
    text = json.dumps(session.remote.everything("/admin/clients", page_size=500, consumer=consumer), indent=2)
    if file == "-":
        print(text)
        return
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
        target.write(text + "\n")
    session.printer.say(f"Written to {file}.")


def add_to(verbs: dict[str, typer.Typer]) -> None:
    for spelling, hidden in {"oauth2-client": True, "oauth2-clients": False}.items():
        verbs["import"].command(spelling, hidden=hidden)(command(bring))
        verbs["export"].command(spelling, hidden=hidden)(command(export))
