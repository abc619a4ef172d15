"""Consumers: their names, the scopes that they may use, and their tokens."""

from typing import Annotated

import typer

from clientdesk.api_client import path_segment
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import USAGE, CommandError
from clientdesk.session import Consumer, Session, command
from clientdesk.verbs import Verbs

_COLUMNS = ["slug", "name", "external_id", "suspended", "created_at"]
Name = Annotated[str, typer.Option("--name", metavar="TEXT", help="Name, as people read it.", show_default=False)]
ExternalId = Annotated[str | None, typer.Option("--external-id", metavar="TEXT", help="Its ID in your own systems.")]


def list_consumers(session: Session) -> None:
    """List the consumers that you may see."""
    session.printer.show(session.api.list_all("/admin/consumers"), _COLUMNS, identifier="slug")


def get_consumer(session: Session, consumer: Consumer) -> None:
    """Show a consumer."""
    session.printer.show(session.api.json("GET", consumer_path(consumer)), _COLUMNS, identifier="slug")


def create_consumer(
    session: Session,
    slug: Annotated[
        str, typer.Argument(metavar="SHORT_NAME", help="Short name in URLs: a-z, 0-9 and “-”.", show_default=False)
    ],
    name: Name,
    external_id: ExternalId = None,
) -> None:
    """Create a consumer. For operators."""
    body = {"slug": slug, "name": name} | ({"external_id": external_id} if external_id else {})
    session.printer.show(session.api.json("POST", "/admin/consumers", json=body), _COLUMNS, identifier="slug")


def update_consumer(
    session: Session,
    consumer: Consumer,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="Name, as people read it.")] = None,
    external_id: ExternalId = None,
) -> None:
    """Change a consumer. For operators."""
    changes = {"name": name, "external_id": external_id}
    patch = [
        {"op": "replace", "path": f"/{member}", "value": value}
        for member, value in changes.items()
        if value is not None
    ]
    if not patch:
        raise CommandError("Nothing to change. Give --name or --external-id.", USAGE)
    session.printer.show(session.api.json("PATCH", consumer_path(consumer), json=patch), _COLUMNS, identifier="slug")


def delete_consumer(session: Session, consumer: Consumer, yes: Yes = False) -> None:
    """Delete a consumer that has no clients. For operators."""
    path = consumer_path(consumer)
    confirm(f"Delete the consumer {consumer}, with its members and invitations? This can't be undone.", yes=yes)
    session.api.request("DELETE", path)
    session.printer.show({"slug": consumer}, ["slug"], identifier="slug")


def suspend_consumer(session: Session, consumer: Consumer, yes: Yes = False) -> None:
    """Suspend a consumer: its people, clients and tokens are refused until it is resumed. For operators."""
    path = f"{consumer_path(consumer)}/suspend"
    confirm(f"Suspend {consumer}? Its people, clients and tokens are refused until you resume it.", yes=yes)
    session.printer.show(session.api.json("POST", path), _COLUMNS, identifier="slug")


def resume_consumer(session: Session, consumer: Consumer) -> None:
    """Resume a suspended consumer. For operators."""
    session.printer.show(session.api.json("POST", f"{consumer_path(consumer)}/resume"), _COLUMNS, identifier="slug")


def get_access(session: Session, consumer: Consumer) -> None:
    """Show the scopes that a consumer's clients may request."""
    _show_access(session, session.api.json("GET", f"{consumer_path(consumer)}/access"))


def update_access(
    session: Session,
    consumer: Consumer,
    add: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help="Allow this scope. Repeatable.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="SCOPE", help="Remove this scope. Repeatable.")] = None,
) -> None:
    """Change the scopes that a consumer's clients may request. For operators."""
    path = f"{consumer_path(consumer)}/access"
    if not add and not remove:
        raise CommandError("Nothing to change. Give --add or --remove.", USAGE)
    current = session.api.json("GET", path)["scopes"]
    kept = [scope for scope in current if scope not in (remove or [])]
    _show_access(session, session.api.json("PUT", path, json={"scopes": list(dict.fromkeys([*kept, *(add or [])]))}))


def revoke_access_tokens(
    session: Session,
    client_id: Annotated[
        str | None, typer.Argument(metavar="CLIENT_ID", help="Those of this client.", show_default=False)
    ] = None,
    consumer: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Those of all clients of this consumer. For operators.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Revoke every token of a client, or of all clients of a consumer."""
    if (client_id is None) == (consumer is None):
        raise CommandError("Give a client ID, or --consumer.", USAGE)
    if consumer is not None:
        path = f"{consumer_path(consumer)}/tokens"
        confirm(f"Revoke all tokens of the clients of {consumer}? They can get new ones.", yes=yes)
        session.api.request("DELETE", path)
        session.printer.show({"slug": consumer}, ["slug"], identifier="slug")
        return
    confirm(f"Revoke all tokens of {client_id}? It can get new ones.", yes=yes)
    session.api.request("DELETE", "/admin/oauth2/tokens", params={"client_id": client_id})
    session.printer.show({"client_id": client_id}, ["client_id"])


def _show_access(session: Session, access: dict[str, list[str]]) -> None:
    session.printer.show([{"scope": scope} for scope in access["scopes"]], ["scope"], identifier="scope")


def consumer_path(consumer: str) -> str:
    return f"/admin/consumers/{path_segment(consumer)}"


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "consumers", command(list_consumers))
    verbs.add("get", "consumer", command(get_consumer))
    verbs.add("create", "consumer", command(create_consumer))
    verbs.add("update", "consumer", command(update_consumer))
    verbs.add("delete", "consumer", command(delete_consumer))
    verbs.add("suspend", "consumer", command(suspend_consumer))
    verbs.add("resume", "consumer", command(resume_consumer))
    verbs.add("get", "access", command(get_access))
    verbs.add("update", "access", command(update_access))
    verbs.add("revoke", "access-tokens", command(revoke_access_tokens))
    verbs.add("delete", "access-tokens", command(revoke_access_tokens), hidden=True)  # as Ory's program calls it
