"""Who joins a consumer by a connection. For operators."""

from typing import Annotated

import typer

from clientdesk.api_client import path_segment
from clientdesk.commands.consumers import consumer_path
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import USAGE, CommandError
from clientdesk.flags import completion
from clientdesk.session import Consumer, Session, command
from clientdesk.verbs import Verbs

_COLUMNS = ["id", "connection", "kind", "value", "role", "created_at"]
RuleId = Annotated[str, typer.Argument(metavar="RULE_ID", help="As `list joining-rules` shows it.", show_default=False)]


def list_joining_rules(session: Session, consumer: Consumer) -> None:
    """List who joins a consumer by a connection. For operators."""
    session.printer.show(session.api.list_all(_path(consumer)), _COLUMNS, identifier="id")


def get_joining_rule(session: Session, consumer: Consumer, rule_id: RuleId) -> None:
    """Show a joining rule. For operators."""
    found = session.api.json("GET", f"{_path(consumer)}/{path_segment(rule_id)}")
    session.printer.show(found, _COLUMNS, identifier="id")


def create_joining_rule(
    session: Session,
    *,
    consumer: Consumer,
    connection: Annotated[str, typer.Option(metavar="TEXT", help="Short name of the connection.", show_default=False)],
    domain: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Whose address is of this verified domain.", show_default=False)
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Who has this group at the provider.", show_default=False)
    ] = None,
    role: Annotated[
        str,
        typer.Option(metavar="ROLE", help="manager or viewer.", autocompletion=completion(["manager", "viewer"])),
    ] = "viewer",
) -> None:
    """Let whoever signs in by a connection, and matches, join a consumer. For operators."""
    if (domain is None) == (group is None):
        raise CommandError("Give --domain or --group.", USAGE)
    matched = {"kind": "domain", "value": domain} if domain is not None else {"kind": "group", "value": group}
    created = session.api.json("POST", _path(consumer), json={"connection": connection, "role": role} | matched)
    session.printer.show(created, _COLUMNS, identifier="id")


def delete_joining_rule(session: Session, consumer: Consumer, rule_id: RuleId, yes: Yes = False) -> None:
    """Delete a joining rule. Who joined by it leaves at the next sign-in. For operators."""
    path = f"{_path(consumer)}/{path_segment(rule_id)}"
    confirm(f"Delete this joining rule of {consumer}? Who joined by it leaves at the next sign-in.", yes=yes)
    session.api.request("DELETE", path)
    session.printer.show({"id": rule_id}, ["id"], identifier="id")


def _path(consumer: str) -> str:
    return f"{consumer_path(consumer)}/joining-rules"


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "joining-rules", command(list_joining_rules))
    verbs.add("get", "joining-rule", command(get_joining_rule))
    verbs.add("create", "joining-rule", command(create_joining_rule))
    verbs.add("delete", "joining-rule", command(delete_joining_rule))
