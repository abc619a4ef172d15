"""Import clients from Hydra, Keycloak, Auth0 and other Clientdesks, and export them."""

import json
import sys
from typing import Annotated, Any

import typer
from rich.progress import track

from clientdesk import importers
from clientdesk.api_client import ApiClient
from clientdesk.commands.activity import open_output
from clientdesk.errors import FAILED, STOPPED, CommandError
from clientdesk.importers.imported_client import ImportedClient, json_object
from clientdesk.input import read_json
from clientdesk.interrupts import finishing_steps
from clientdesk.output import stderr
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

Row = dict[str, Any]
_SOURCE = "source_client_id"  # the member of a client's metadata that keeps the ID which it had elsewhere
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
    imported = {} if dry_run else _imported_before(session.api, consumer)
    progress = track(found, "Importing", console=stderr, transient=True, disable=sys.stdout.isatty())
    try:
        # Each is shown as soon as it is there: its secret is shown then or never.
        with session.printer.showing_each(_MEMBERS) as show, finishing_steps() as stop_if_asked:
            for client in progress if stderr.is_terminal else found:
                stop_if_asked()
                former = imported.get(client.source_client_id)
                if dry_run or not client.is_client:
                    rows.append(_row(client))
                elif former is not None:
                    rows.append(_skipped(client, former))
                else:
                    rows.append(_create(session.api, client, consumer))
                    if client.source_client_id and not rows[-1]["error"]:
                        imported[client.source_client_id] = rows[-1]["client_id"]
                show(rows[-1])
    except KeyboardInterrupt:
        raise CommandError(f"Stopped. {_so_far(rows, found)}", STOPPED) from None
    except CommandError as error:
        raise CommandError(f"{error} {_so_far(rows, found)}", error.status, error.code) from None
    finally:
        if any(row["client_secret"] for row in rows):
            session.printer.say("Keep the secrets now: they are shown only once.")
    failed = [row for row in rows if row["error"]]
    if failed:
        message = f"{len(failed)} of {len(rows)} clients were refused. Correct the file, and import those again."
        raise CommandError(message, FAILED)


def _so_far(rows: list[Row], found: list[ImportedClient]) -> str:
    return (
        f"{len(rows)} of {len(found)} clients were gone through. Import the file again for the rest: what was imported "
        "is skipped then."
    )


def _imported_before(api: ApiClient, consumer: str | None) -> dict[str, str]:
    """Return the client ID of each client that an import has made, by the ID that it had elsewhere."""
    pages = api.pages("/admin/clients", page_size=500, consumer=consumer)
    kept = ((json_object(row.get("metadata")), row["client_id"]) for page in pages for row in page.rows)
    return {str(metadata[_SOURCE]): client_id for metadata, client_id in kept if metadata.get(_SOURCE)}


def _skipped(client: ImportedClient, client_id: str) -> Row:
    client.not_imported.append(
        f"the client: it was imported before, as {client_id}; where its secret was lost, use "
        f"`clientdesk rotate secret {client_id}`"
    )
    return _row(client, {"client_id": client_id})


def _create(api: ApiClient, client: ImportedClient, consumer: str | None) -> Row:
    body = client.metadata | ({"consumer": consumer} if consumer else {})
    if client.source_client_id:
        body["metadata"] = json_object(client.metadata.get("metadata")) | {_SOURCE: client.source_client_id}
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
