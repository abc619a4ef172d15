"""The directory that keeps a consumer's people by SCIM, and the roles of its groups. For operators."""

from typing import Annotated

import typer

from clientdesk.api_client import path_segment
from clientdesk.commands.consumers import consumer_path
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import NOT_FOUND, USAGE, CommandError
from clientdesk.interrupts import finishing_steps
from clientdesk.session import Consumer, Session, command
from clientdesk.verbs import Verbs

_COLUMNS = ["name", "default_role", "base_url", "hint", "people", "pending", "rotated_at", "last_used_at"]
_ONCE = ["token", "base_url", "name"]
_GROUP = ["id", "name", "role", "members"]
Name = Annotated[str | None, typer.Option("--name", metavar="TEXT", help="Name, as people read it.")]
Role = Annotated[
    str | None,
    typer.Option("--role", metavar="TEXT", help="Of whoever no group gives a higher one: viewer or manager."),
]


def get_directory(session: Session, consumer: Consumer) -> None:
    """Show the directory of a consumer. For operators."""
    session.printer.show(session.api.json("GET", _path(consumer)), _COLUMNS, "name")


def create_directory(
    session: Session,
    consumer: Consumer,
    *,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="Name, as people read it.", show_default=False)],
    role: Role = None,
) -> None:
    """Let a directory keep a consumer's people. Its token is printed once and can't be read again. For operators."""
    body = {"name": name} | ({"default_role": role} if role else {})
    with finishing_steps():
        _show_token(session, session.api.json("POST", _path(consumer), json=body))


def update_directory(session: Session, consumer: Consumer, name: Name = None, role: Role = None) -> None:
    """Change the name or the role of a directory. For operators."""
    if name is None and role is None:
        raise CommandError("Nothing to change. Give --name or --role.", USAGE)
    current = session.api.json("GET", _path(consumer))
    body = {"name": name or current["name"], "default_role": role or current["default_role"]}
    session.printer.show(session.api.json("PUT", _path(consumer), json=body), _COLUMNS, "name")


def rotate_token(session: Session, consumer: Consumer, yes: Yes = False) -> None:
    """Replace the token of a directory. It is printed once and can't be read again. For operators."""
    path = f"{_path(consumer)}/rotate"
    confirm(f"Replace the token of the directory of {consumer}? The one in use ends at once.", yes=yes)
    with finishing_steps():
        _show_token(session, session.api.json("POST", path))


def delete_directory(session: Session, consumer: Consumer, yes: Yes = False) -> None:
    """Delete the directory of a consumer. Its members stay. For operators."""
    confirm(f"Delete the directory of {consumer}? Its members stay, and are kept by people from now on.", yes=yes)
    session.api.request("DELETE", _path(consumer))
    session.printer.say("Deleted.")


def list_users(session: Session, consumer: Consumer) -> None:
    """List the people of a consumer's directory. For operators."""
    found = session.api.list_all(f"{_path(consumer)}/users")
    session.printer.show(found, ["user_name", "name", "email", "state", "id"], "user_name")


def list_groups(session: Session, consumer: Consumer) -> None:
    """List the groups of a consumer's directory, and the role that each gives. For operators."""
    session.printer.show(session.api.json("GET", f"{_path(consumer)}/groups"), _GROUP, "id")


def update_group(
    session: Session,
    consumer: Consumer,
    group: Annotated[str, typer.Argument(metavar="GROUP", help="Its name, or its ID.", show_default=False)],
    role: Annotated[str, typer.Option("--role", metavar="TEXT", help="none, viewer or manager.", show_default=False)],
) -> None:
    """Set the role that a group of a directory gives its members. For operators."""
    named = [
        each for each in session.api.json("GET", f"{_path(consumer)}/groups") if group in (each["id"], each["name"])
    ]
    if len(named) != 1:
        raise CommandError(f"{len(named) or 'No'} groups are called {group}. Give the ID of one.", NOT_FOUND)
    path = f"{_path(consumer)}/groups/{path_segment(named[0]['id'])}"
    session.printer.show(session.api.json("PUT", path, json={"role": role}), _GROUP, "id")


def _show_token(session: Session, made: dict[str, object]) -> None:
    session.printer.show(made, _ONCE, identifier="token")
    session.printer.say("Keep the token now: it is shown only once.")


def _path(consumer: str) -> str:
    return f"{consumer_path(consumer)}/directory"


def add_to(verbs: Verbs) -> None:
    verbs.add("get", "directory", command(get_directory))
    verbs.add("create", "directory", command(create_directory))
    verbs.add("update", "directory", command(update_directory))
    verbs.add("rotate", "directory", command(rotate_token))
    verbs.add("delete", "directory", command(delete_directory))
    verbs.add("list", "directory-users", command(list_users))
    verbs.add("list", "directory-groups", command(list_groups))
    verbs.add("update", "directory-group", command(update_group))
