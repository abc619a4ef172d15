"""Clients: create, get, update, patch, delete, enable, disable and list, with the flags of Ory's program."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from clientdesk.api_client import path_segment
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import USAGE, CommandError
from clientdesk.flags import PARAMETERS, completion, json_patch_of, metadata_of
from clientdesk.input import parse_json, read_json
from clientdesk.interrupts import finishing_steps
from clientdesk.session import ClientId, ClientIds, Session, command
from clientdesk.verbs import Verbs

_COLUMNS = [
    "client_id",
    "client_name",
    "consumer",
    "grant_types",
    "response_types",
    "scope",
    "audience",
    "redirect_uris",
]
_MEMBERS = [
    "client_id",
    "client_secret",
    "client_name",
    "consumer",
    "owner",
    "grant_types",
    "response_types",
    "scope",
    "audience",
    "redirect_uris",
    "post_logout_redirect_uris",
    "allowed_cors_origins",
    "token_endpoint_auth_method",
    "jwks_uri",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "access_token_strategy",
    "metadata",
    "disabled",
    "created_at",
    "updated_at",
    "expires_at",
    "last_used_at",
]
STATES = ["active", "rotating", "disabled", "expired", "no_secret"]
File = Annotated[
    str | None, typer.Option("--file", metavar="FILE", help="Read JSON from a file, or from standard input with “-”.")
]
Consumer = Annotated[
    str | None, typer.Option("--consumer", metavar="TEXT", help="The consumer that owns it; operators have to name it.")
]


def create_client(session: Session, flags: dict[str, Any], file: File = None, consumer: Consumer = None) -> None:
    """Create a client. Its secret is printed once and can't be read again."""
    documents = _read_clients(file) if file else [{}]
    created: list[dict[str, Any]] = []
    with finishing_steps() as stop_if_asked:
        try:
            for number, document in enumerate(documents, start=1):
                stop_if_asked()
                body = document | metadata_of(flags) | ({"consumer": consumer} if consumer else {})
                with _naming(f"Client {number} of {file}" if len(documents) > 1 else ""):
                    created.append(session.api.json("POST", "/admin/clients", json=body))
        finally:  # also when a later one is refused: the secrets of those that were created are shown now or never
            if created:
                _show(session, created, ["client_secret", *_COLUMNS])
            if any(client.get("client_secret") for client in created):
                session.printer.say("Keep the secret now: it is shown only once.")


def get_client(session: Session, client_ids: ClientIds) -> None:
    """Show clients."""
    found = []
    for client_id in client_ids:
        path = _path(client_id)
        with _naming(client_id):
            found.append(session.api.json("GET", path))
    _show(session, found, _COLUMNS)


def update_client(session: Session, client_id: ClientId, flags: dict[str, Any], file: File = None) -> None:
    """Change what the flags name; with --file, replace all of a client's metadata."""
    path = _path(client_id)
    if file:
        documents = _read_clients(file)
        if len(documents) > 1:
            raise CommandError(f"{file} holds {len(documents)} clients. Give one.", USAGE)
        found = session.api.json("PUT", path, json=documents[0] | metadata_of(flags))
    elif not (changes := json_patch_of(metadata_of(flags))):
        raise CommandError("Nothing to change. Give a flag, or --file.", USAGE)
    else:
        found = session.api.json("PATCH", path, json=changes)
    session.printer.show(found, _MEMBERS)


Operations = Annotated[
    list[str] | None, typer.Option(metavar="PATH=VALUE", help="Such as /owner=Team or /metadata={}. Repeatable.")
]


def patch_client(
    session: Session,
    *,
    client_id: ClientId,
    add: Operations = None,
    replace: Operations = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Such as /contacts. Repeatable.")] = None,
    file: File = None,
) -> None:
    """Change members of a client by JSON Patch (RFC 6902)."""
    operations = [_parse_operation("add", text) for text in add or []]
    operations += [_parse_operation("replace", text) for text in replace or []]
    operations += [{"op": "remove", "path": text} for text in remove or []]
    if file:
        document = read_json(file)
        operations += document if isinstance(document, list) else [document]
    if not operations:
        raise CommandError("Nothing to change. Give --add, --replace, --remove or --file.", USAGE)
    session.printer.show(session.api.json("PATCH", _path(client_id), json=operations), _MEMBERS)


def delete_client(session: Session, client_ids: ClientIds, yes: Yes = False) -> None:
    """Delete clients with their secrets and tokens. This can't be undone."""
    paths = {client_id: _path(client_id) for client_id in client_ids}
    confirm(f"Delete {', '.join(client_ids)}? Secrets and tokens are revoked, and this can't be undone.", yes=yes)
    for client_id, path in paths.items():
        with _naming(client_id):
            session.api.request("DELETE", path)
        session.printer.show({"client_id": client_id}, ["client_id"])


def disable_client(session: Session, client_ids: ClientIds, yes: Yes = False) -> None:
    """Disable clients: every request of theirs is refused until they are enabled."""
    paths = [_path(client_id) for client_id in client_ids]
    confirm(f"Disable {', '.join(client_ids)}? Every request is refused until you enable it again.", yes=yes)
    _switch(session, client_ids, [f"{path}/disable" for path in paths])


def enable_client(session: Session, client_ids: ClientIds) -> None:
    """Enable disabled clients."""
    _switch(session, client_ids, [f"{_path(client_id)}/enable" for client_id in client_ids])


Only = Annotated[str | None, typer.Option(metavar="TEXT", help="Only those with exactly this one.")]


def list_clients(
    session: Session,
    *,
    page_size: Annotated[int, typer.Option(metavar="NUMBER", help="How many to a page, at most 500.")] = 100,
    page_token: Annotated[str | None, typer.Option(metavar="TEXT", help="Continue from this page.")] = None,
    all_pages: Annotated[bool, typer.Option("--all", help="List every page.")] = False,
    name: Only = None,
    owner: Only = None,
    consumer: Only = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="Only where name or ID contains this.")] = None,
    state: Annotated[
        str | None,
        typer.Option(
            metavar="STATE", help=f"Only those that are {', '.join(STATES)}.", autocompletion=completion(STATES)
        ),
    ] = None,
    grant_type: Only = None,
    scope: Only = None,
) -> None:
    """List clients."""
    query = {"client_name": name, "owner": owner, "consumer": consumer, "q": search, "state": state}
    query |= {"grant_type": grant_type, "scope": scope}
    pages = session.api.pages("/admin/clients", page_size=page_size, page_token=page_token, **query)
    first = next(pages)
    rows = [row for page in (first, *pages) for row in page.rows] if all_pages else first.rows
    session.printer.show(rows, _COLUMNS)
    if first.next_token and not all_pages:
        session.printer.say(f"There are more: --page-token {first.next_token}, or --all.")


@contextmanager
def _naming(thing: str) -> Iterator[None]:
    """Prefix the error of one of several things with its name."""
    try:
        yield
    except CommandError as error:
        raise CommandError(f"{thing}: {error}" if thing else str(error), error.status, error.code) from None


def _show(session: Session, clients: list[dict[str, Any]], columns: list[str]) -> None:
    several = len(clients) > 1
    session.printer.show(clients if several else clients[0], columns if several else _MEMBERS)


def _switch(session: Session, client_ids: list[str], paths: list[str]) -> None:
    found: list[dict[str, Any]] = []
    try:
        for client_id, path in zip(client_ids, paths, strict=True):
            with _naming(client_id):
                found.append(session.api.json("POST", path))
    finally:  # of several, some may be done
        if found:
            _show(session, found, [*_COLUMNS, "disabled"])


def _parse_operation(op: str, text: str) -> dict[str, Any]:
    """Return the operation of `/path=value`; the value is JSON, or else a string."""
    path, equals, raw = text.partition("=")
    if not equals:
        raise CommandError(f"Write --{op} as /path=value.", USAGE)
    try:
        value = parse_json(raw, path)
    except CommandError:
        value = raw
    return {"op": op, "path": path, "value": value}


def _read_clients(file: str) -> list[dict[str, Any]]:
    """Return the clients of a JSON file: one, several, or Ory's `{"items": […]}`."""
    found = read_json(file)
    if isinstance(found, dict) and isinstance(found.get("items"), list):
        found = found["items"]
    found = found if isinstance(found, list) else [found]
    if not found or not all(isinstance(each, dict) for each in found):
        raise CommandError(f"{file} holds no client. Give a JSON object, or a list of them.", USAGE)
    return found


def _path(client_id: str) -> str:
    return f"/admin/clients/{path_segment(client_id)}"


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "clients", command(list_clients))
    verbs.add("get", "client", command(get_client))
    verbs.add("create", "client", command(create_client, PARAMETERS))
    verbs.add("update", "client", command(update_client, PARAMETERS))
    verbs.add("patch", "client", command(patch_client))
    verbs.add("enable", "client", command(enable_client))
    verbs.add("disable", "client", command(disable_client))
    verbs.add("delete", "client", command(delete_client))
