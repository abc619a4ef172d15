"""The roles of people in APIs."""

from typing import Annotated, Any

import typer

from clientdesk.api_client import path_segment
from clientdesk.commands.members import Email, member_path
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import USAGE, CommandError
from clientdesk.session import Consumer, Session, command
from clientdesk.verbs import Verbs

_HELD = ["role", "api", "source", "given_by", "given_at"]
_GRANT = ["id", "email", "role", "api", "consumer", "source", "given_by", "given_at"]
Api = Annotated[str, typer.Option("--api", metavar="TEXT", help="Identifier of the API.", show_default=False)]
GrantId = Annotated[int, typer.Argument(metavar="ID", help="As `list role-grants` shows it.", show_default=False)]


def list_roles(session: Session, consumer: Consumer, email: Email) -> None:
    """List a member's roles in APIs."""
    _show_held(session, session.api.json("GET", f"{member_path(session, consumer, email)}/roles"))


def update_roles(
    session: Session,
    consumer: Consumer,
    email: Email,
    *,
    api: Api,
    add: Annotated[list[str] | None, typer.Option(metavar="ROLE", help="Give this role. Repeatable.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="ROLE", help="Take this role. Repeatable.")] = None,
) -> None:
    """Change a member's roles in an API. Managers give those that the operator lets them give."""
    if not add and not remove:
        raise CommandError("Nothing to change. Give --add or --remove.", USAGE)
    path = f"{member_path(session, consumer, email)}/roles"
    current: list[dict[str, Any]] = session.api.json("GET", path)["roles"]
    kept = [each for each in current if (each["api"], each["role"]) not in {(api, value) for value in remove or []}]
    body = {"roles": [*kept, *({"api": api, "role": value} for value in add or [])]}
    _show_held(session, session.api.json("PUT", path, json=body))


def list_grants(
    session: Session,
    email: Annotated[str | None, typer.Option(metavar="EMAIL", help="Of this person.")] = None,
    api: Annotated[str | None, typer.Option(metavar="TEXT", help="In the API of this identifier.")] = None,
    consumer: Annotated[str | None, typer.Option(metavar="TEXT", help="At the clients of this consumer.")] = None,
) -> None:
    """List who has which role. For operators."""
    filters = {"email": email, "api": api, "consumer": consumer}
    chosen = {name: value for name, value in filters.items() if value}
    session.printer.show(session.api.list_all("/admin/role-grants", **chosen), _GRANT, identifier="id")


def get_grant(session: Session, grant_id: GrantId) -> None:
    """Show a role of a person. For operators."""
    session.printer.show(session.api.json("GET", _grant_path(grant_id)), _GRANT, identifier="id")


def create_grant(
    session: Session,
    email: Email,
    *,
    api: Api,
    role: Annotated[str, typer.Option(metavar="ROLE", help="Value of the role.", show_default=False)],
    consumer: Annotated[str | None, typer.Option(metavar="TEXT", help="At the clients of this consumer alone.")] = None,
) -> None:
    """Give a person a role, member or not. For operators."""
    body = {"email": email, "api": api, "role": role} | ({"consumer": consumer} if consumer else {})
    session.printer.show(session.api.json("POST", "/admin/role-grants", json=body), _GRANT, identifier="id")


def delete_grant(session: Session, grant_id: GrantId, yes: Yes = False) -> None:
    """Take a role from a person, whoever gave it. For operators."""
    confirm(f"Take the role {grant_id}? The next token is without it.", yes=yes)
    session.api.request("DELETE", _grant_path(grant_id))
    session.printer.say("Taken.")


def _grant_path(grant_id: int) -> str:
    return f"/admin/role-grants/{path_segment(str(grant_id))}"


def _show_held(session: Session, document: dict[str, Any]) -> None:
    session.printer.show(document["roles"], _HELD, identifier="role")


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "roles", command(list_roles))
    verbs.add("update", "roles", command(update_roles))
    verbs.add("list", "role-grants", command(list_grants))
    verbs.add("get", "role-grant", command(get_grant))
    verbs.add("create", "role-grant", command(create_grant))
    verbs.add("delete", "role-grant", command(delete_grant))
