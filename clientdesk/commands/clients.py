"""`create`, `get`, `update`, `patch`, `delete` and `list`, each of `oauth2-client`, with the flags of Ory's program."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from clientdesk import flags
from clientdesk.problems import USAGE, Problem
from clientdesk.reading import parse, read_document
from clientdesk.remote import part
from clientdesk.session import ClientId, ClientIds, Session, command

COLUMNS = [
    "client_id",
    "client_name",
    "consumer",
    "grant_types",
    "response_types",
    "scope",
    "audience",
    "redirect_uris",
]
CARD = [
    *("client_id", "client_secret", "client_name", "consumer", "owner", "grant_types", "response_types"),
    *("scope", "audience", "redirect_uris", "post_logout_redirect_uris", "allowed_cors_origins"),
    *("token_endpoint_auth_method", "jwks_uri", "client_uri", "logo_uri", "policy_uri", "tos_uri", "contacts"),
    *("access_token_strategy", "metadata", "disabled", "created_at", "updated_at", "expires_at", "last_used_at"),
]
File = Annotated[
    str | None, typer.Option("--file", metavar="FILE", help="Read JSON from a file, or from standard input with “-”.")
]
Consumer = Annotated[
    str | None, typer.Option("--consumer", metavar="TEXT", help="The consumer it belongs to; needed by operators.")
]


@contextmanager
def about(thing: str) -> Iterator[None]:
    """Say of a refusal which of several things it is about."""
    try:
        yield
    except Problem as problem:
        raise Problem(f"{thing}: {problem}" if thing else str(problem), problem.status, problem.code) from None


def show(session: Session, found: list[dict[str, Any]], columns: list[str]) -> None:
    session.printer.show(found if len(found) > 1 else found[0], columns if len(found) > 1 else CARD)


def create(session: Session, given: dict[str, Any], file: File = None, consumer: Consumer = None) -> None:
    """Create a client. Its secret is printed once and can't be read again."""
    documents = from_file(file) if file else [{}]
    made = []
    try:
        for number, document in enumerate(documents, start=1):
            body = document | flags.document(given) | ({"consumer": consumer} if consumer else {})
            with about(f"Client {number} of {file}" if len(documents) > 1 else ""):
                made.append(session.remote.json("POST", "/admin/clients", json=body))
    finally:  # the secrets of those that were made are shown now or never
        if made:
            show(session, made, ["client_secret", *COLUMNS])
        if any(client.get("client_secret") for client in made):
            session.printer.say("Keep the secret now: it is shown this once.")


def get(session: Session, client_ids: ClientIds) -> None:
    """Show clients."""
    found = []
    for each in client_ids:
        path = f"/admin/clients/{part(each)}"
        with about(each):
            found.append(session.remote.json("GET", path))
    show(session, found, COLUMNS)


def update(session: Session, client_id: ClientId, given: dict[str, Any], file: File = None) -> None:
    """Change a client: what the flags name, or with --file everything."""
    path = f"/admin/clients/{part(client_id)}"
    if file:
        documents = from_file(file)
        if len(documents) > 1:
            raise Problem(f"{file} holds {len(documents)} clients. Give one.", USAGE)
        (document,) = documents
        found = session.remote.json("PUT", path, json=document | flags.document(given))
    elif not (changes := flags.patch(given)):
        raise Problem("Nothing to change. Give a flag, or --file.", USAGE)
    else:
        found = session.remote.json("PATCH", path, json=changes)
    session.printer.show(found, CARD)


Operations = Annotated[
    list[str] | None, typer.Option(metavar="PATH=VALUE", help="Such as /owner=Team or /metadata={}. Repeatable.")
]


def patch(
    session: Session,
    *,
    client_id: ClientId,
    add: Operations = None,
    replace: Operations = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Such as /contacts. Repeatable.")] = None,
    file: File = None,
) -> None:
    """Change members of a client by JSON Patch (RFC 6902)."""
    operations = [operation("add", text) for text in add or []]
    operations += [operation("replace", text) for text in replace or []]
    operations += [{"op": "remove", "path": text} for text in remove or []]
    if file:
        read = read_document(file)
        operations += read if isinstance(read, list) else [read]
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
        value = parse(raw, path)
    except Problem:
        value = raw
    return {"op": op, "path": path, "value": value}


def delete(session: Session, client_ids: ClientIds) -> None:
    """Delete clients with their secrets and tokens. It can't be undone."""
    for each in client_ids:
        path = f"/admin/clients/{part(each)}"
        with about(each):
            session.remote.request("DELETE", path)
        session.printer.show({"client_id": each}, ["client_id"])


def delete_tokens(session: Session, client_id: ClientId) -> None:
    """End every token that a client has got until now."""
    session.remote.request("DELETE", "/admin/oauth2/tokens", params={"client_id": client_id})
    session.printer.show({"client_id": client_id}, ["client_id"])


def disable(session: Session, client_ids: ClientIds) -> None:
    """Refuse every request of clients from now on. Enabling undoes it."""
    switch(session, client_ids, "disable")


def enable(session: Session, client_ids: ClientIds) -> None:
    """Undo disabling."""
    switch(session, client_ids, "enable")


def switch(session: Session, client_ids: list[str], deed: str) -> None:
    found = []
    try:
        for each in client_ids:
            path = f"/admin/clients/{part(each)}/{deed}"
            with about(each):
                found.append(session.remote.json("POST", path))
    finally:  # of several, some may be done
        if found:
            show(session, found, [*COLUMNS, "disabled"])


Only = Annotated[str | None, typer.Option(metavar="TEXT", help="Only those with exactly this one.")]


def listed(
    session: Session,
    *,
    page_size: Annotated[int, typer.Option(metavar="NUMBER", help="How many to a page, at most 500.")] = 100,
    page_token: Annotated[str | None, typer.Option(metavar="TEXT", help="Where to go on.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every page.")] = False,
    name: Only = None,
    owner: Only = None,
    consumer: Only = None,
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="Only where it is part of name or ID.")] = None,
    state: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only active, rotating, disabled, expired or bare ones.")
    ] = None,
    grant_type: Only = None,
    scope: Only = None,
) -> None:
    """List clients."""
    query = {"client_name": name, "owner": owner, "consumer": consumer, "q": search, "state": state}
    query |= {"grant_type": grant_type, "scope": scope}
    pages = session.remote.pages("/admin/clients", page_size=page_size, page_token=page_token, **query)
    found = next(pages)
    rows = [row for page in (found, *pages) for row in page.rows] if everything else found.rows
    session.printer.show(rows, COLUMNS)
    if found.next_token and not everything:
        session.printer.say(f"There are more: --page-token {found.next_token}, or --all.")


def from_file(file: str) -> list[dict[str, Any]]:
    """Return the clients of a JSON document: one, several, or Ory's `{"items": […]}`."""
    found = read_document(file)
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
        ("enable", enable, None),
        ("disable", disable, None),
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
    verbs["delete"].command("access-tokens")(command(delete_tokens))
