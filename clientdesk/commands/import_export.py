"""Import clients from Hydra, Keycloak, Auth0 and other Clientdesks, and export them."""

import json
from typing import Annotated, Any

import typer
from rich.progress import track

from clientdesk import importers
from clientdesk.api_client import ApiClient
from clientdesk.commands.activity import open_output
from clientdesk.errors import FAILED, CommandError
from clientdesk.importers.imported_client import ImportedClient
from clientdesk.input import read_json
from clientdesk.output import stderr
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

Row = dict[str, Any]
_MEMBERS = ["source_client_id", "client_name", "client_id", "client_secret", "error", "not_imported"]
_OPERATORS_ONLY = ("skip_consent", "skip_logout_consent")

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Exports: of `hydra list oauth2-clients --format json`, a Keycloak realm, Auth0's clients, or `clientdesk "
        "export clients`. “-” is standard input.",
        show_default=False,
    ),
]


def import_clients(
    session: Session,
    files: Files,
    consumer: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The consumer that will own them; needed where you may manage several."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be imported.")] = False,
) -> None:
    """Create the clients of an export, and say of each what could not be imported."""
    found = [client for file in files for client in importers.read_export(read_json(file), file)]
    rows: list[Row] = []
    try:
        for client in track(found, "Importing", console=stderr, transient=True, disable=not stderr.is_terminal):
            rows.append(_row(client) if dry_run or not client.is_client else _create(session.api, client, consumer))
    finally:  # also when the server goes away meanwhile: the secrets are shown now or never
        if rows:
            session.printer.show_each(rows, _MEMBERS)
        if any(row["client_secret"] for row in rows):
            session.printer.say("Keep the secrets now: they are shown only once.")
    failed = [row for row in rows if row["error"]]
    if failed:
        message = f"{len(failed)} of {len(rows)} clients were refused. Correct the file, and import those again."
        raise CommandError(message, FAILED)


def _create(api: ApiClient, client: ImportedClient, consumer: str | None) -> Row:
    body = client.metadata | ({"consumer": consumer} if consumer else {})
    try:
        return _row(client, api.json("POST", "/admin/clients", json=body))
    except CommandError as error:
        if not error.code:  # the server is gone: the rest would fail alike
            raise
        removed = [name for name in _OPERATORS_ONLY if client.metadata.pop(name, None)]
        if not removed:
            return _row(client, error=str(error))
        client.not_imported += [f"{name}: only operators set it" for name in removed]
        return _create(api, client, consumer)


def _row(client: ImportedClient, created: Row | None = None, error: str = "") -> Row:
    created = created or {}
    return {
        "source_client_id": client.source_client_id,
        "client_id": created.get("client_id", ""),
        "client_secret": created.get("client_secret", ""),
        "client_name": client.metadata.get("client_name", ""),
        "not_imported": client.not_imported,
        "error": error,
    }


def export_clients(
    session: Session,
    file: Annotated[str, typer.Option("--file", metavar="FILE", help="Where to; “-” is standard output.")] = "-",
    consumer: Annotated[str | None, typer.Option(metavar="TEXT", help="Only those of this consumer.")] = None,
) -> None:
    """Write every client as JSON that `import clients` reads, without secrets, which nobody can read."""
    clients: list[Row] = []
    with stderr.status("Reading clients …") as status:
        for page in session.api.pages("/admin/clients", page_size=500, consumer=consumer):
            clients += page.rows
            status.update(f"{len(clients):,} clients …")
    with open_output(file) as target:  # only now, so that an error leaves an earlier export as it was
        target.write(json.dumps(clients, indent=2) + "\n")
    if file != "-":
        session.printer.say(f"Written to {file}.")


def add_to(verbs: Verbs) -> None:
    verbs.add("import", "clients", command(import_clients))
    verbs.add("export", "clients", command(export_clients))
