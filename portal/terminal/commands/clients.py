"""`create`, `get`, `update`, `patch`, `delete` and `list`, each of `oauth2-client`, with the flags of Ory's program."""

import json
from typing import Annotated, Any

import typer

from portal.terminal import flags
from portal.terminal.output import read_input
from portal.terminal.problems import USAGE, Problem
from portal.terminal.remote import part
from portal.terminal.session import Session, command

COLUMNS = ["client_id", "client_name", "grant_types", "response_types", "scope", "audience", "redirect_uris"]
CARD = [
    *(
        "client_id",
        "client_secret",
        "client_secret_expires_at",
        "client_name",
        "owner",
        "grant_types",
        "response_types",
    ),
    *("scope", "audience", "redirect_uris", "post_logout_redirect_uris", "allowed_cors_origins"),
    *("token_endpoint_auth_method", "jwks_uri", "client_uri", "logo_uri", "policy_uri", "tos_uri", "contacts"),
    *("access_token_strategy", "metadata", "created_at", "updated_at"),
]
Ids = Annotated[list[str], typer.Argument(help="Client IDs.", show_default=False)]
File = Annotated[str | None, typer.Option("--file", help="Read JSON from a file, or from standard input with “-”.")]
Consumer = Annotated[str | None, typer.Option("--consumer", help="The consumer it belongs to; needed by operators.")]


def create(session: Session, given: dict[str, Any], file: File = None, consumer: Consumer = None) -> None:
    """Create a client. Its secret is printed once and can't be read again."""
    documents = from_file(file) if file else [{}]
    made = []
    for document in documents:
        body = document | flags.document(given) | ({"consumer": consumer} if consumer else {})
        made.append(session.remote.json("POST", "/admin/clients", json=body))
    session.printer.show(made if len(made) > 1 else made[0], ["client_secret", *COLUMNS] if len(made) > 1 else CARD)
    if any(client.get("client_secret") for client in made):
        session.printer.say("Keep the secret now: it is shown this once.")


def get(session: Session, client_ids: Ids) -> None:
    """Show clients."""
    found = [session.remote.json("GET", f"/admin/clients/{part(each)}") for each in client_ids]
    session.printer.show(found if len(found) > 1 else found[0], COLUMNS if len(found) > 1 else CARD)


def update(session: Session, client_id: str, given: dict[str, Any], file: File = None) -> None:
    """Change a client: what the flags name, or with --file everything."""
    path = f"/admin/clients/{part(client_id)}"
    if file:
        (document,) = from_file(file)
        found = session.remote.json("PUT", path, json=document | flags.document(given))
    elif not (changes := flags.patch(given)):
        raise Problem("Nothing to change. Give a flag, or --file.", USAGE)
    else:
        found = session.remote.json("PATCH", path, json=changes)
    session.printer.show(found, CARD)


Operations = Annotated[list[str] | None, typer.Option(help="/path=JSON. Repeatable.")]


def patch(
    session: Session,
    *,
    client_id: str,
    add: Operations = None,
    replace: Operations = None,
    remove: Annotated[list[str] | None, typer.Option(help="/path. Repeatable.")] = None,
    file: File = None,
) -> None:
    """Change members of a client by JSON Patch (RFC 6902)."""
    operations = [operation("add", text) for text in add or []]
    operations += [operation("replace", text) for text in replace or []]
    operations += [{"op": "remove", "path": text} for text in remove or []]
    if file:
        operations += flags.read_json(read_input(file), file)
    if not operations:
        raise Problem("Nothing to change. Give --add, --replace, --remove or --file.", USAGE)
    found = session.remote.json("PATCH", f"/admin/clients/{part(client_id)}", json=operations)
    session.printer.show(found, CARD)


def operation(op: str, text: str) -> dict[str, Any]:
    """Read `/path=value`; the value is JSON, or else a string."""
    path, equals, raw = text.partition("=")
    if not equals:
        raise Problem(f"Write --{op} as /path=value.", USAGE)
    try:
        value = json.loads(raw)
    except ValueError:
        value = raw
    return {"op": op, "path": path, "value": value}


def delete(session: Session, client_ids: Ids) -> None:
    """Delete clients with their secrets and tokens. It can't be undone."""
    for each in client_ids:
        session.remote.request("DELETE", f"/admin/clients/{part(each)}")
        session.printer.show({"client_id": each}, ["client_id"])


def listed(
    session: Session,
    *,
    page_size: Annotated[int, typer.Option(help="How many to a page.")] = 100,
    page_token: Annotated[str | None, typer.Option(help="Where to go on.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every page.")] = False,
    name: Annotated[str | None, typer.Option(help="Only those with this name.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only those with this label.")] = None,
    consumer: Annotated[str | None, typer.Option(help="Only those of this consumer.")] = None,
) -> None:
    """List clients."""
    query = {
        "page_size": page_size,
        "page_token": page_token,
        "client_name": name,
        "owner": owner,
        "consumer": consumer,
    }
    pages = session.remote.pages("/admin/clients", **query)
    rows = [row for page in pages for row in page] if everything else next(pages)
    session.printer.show(rows, COLUMNS)


def from_file(file: str) -> list[dict[str, Any]]:
    """Return the clients of a JSON document: one, several, or Ory's `{"items": […]}`."""
    found = flags.read_json(read_input(file), file)
    if isinstance(found, dict) and isinstance(found.get("items"), list):
        found = found["items"]
    found = found if isinstance(found, list) else [found]
    if not found or not all(isinstance(each, dict) for each in found):
        raise Problem(f"{file} holds no client. Give a JSON object, or a list of them.", USAGE)
    return found


def add_to(verbs: dict[str, typer.Typer]) -> None:
    for verb, function, extra in (
        ("create", create, flags.OPTIONS),
        ("get", get, None),
        ("update", update, flags.OPTIONS),
        ("patch", patch, None),
        ("delete", delete, None),
        ("list", listed, None),
    ):
        made = command(function, extra)
        for spelling, hidden in (
            ("oauth2-client", verb == "list"),
            ("oauth2-clients", verb != "list"),
            ("client", True),
            ("clients", True),
        ):
            verbs[verb].command(spelling, hidden=hidden)(made)
