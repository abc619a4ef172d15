"""`consumers` and `managers`: who may do what."""

from collections.abc import Callable
from typing import Annotated

import typer

from clientdesk.problems import NOT_FOUND, USAGE, Problem
from clientdesk.remote import part
from clientdesk.session import Consumer, Session, command

CONSUMER = ["slug", "name", "external_id", "suspended", "created_at"]
MEMBER = ["email", "name", "role", "state", "id"]
Role = Annotated[str, typer.Option(metavar="TEXT", help="manager or viewer.")]
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Their address.", show_default=False)]
ExternalId = Annotated[str | None, typer.Option(metavar="TEXT", help="Its number in your own systems.")]


# -- Consumers --------------------------------------------------------------------------------------------------------


def list_consumers(session: Session) -> None:
    """List the consumers that you may see."""
    session.printer.show(session.remote.everything("/admin/consumers"), CONSUMER, identifier="slug")


def get_consumer(session: Session, consumer: Consumer) -> None:
    """Show a consumer."""
    session.printer.show(session.remote.json("GET", of(consumer)), CONSUMER, identifier="slug")


def create_consumer(
    session: Session,
    slug: Annotated[
        str, typer.Argument(metavar="SHORT_NAME", help="It stands in addresses: a-z, 0-9 and “-”.", show_default=False)
    ],
    name: Annotated[str, typer.Option(metavar="TEXT", help="As people read it.", show_default=False)],
    external_id: ExternalId = None,
) -> None:
    """Make a consumer. For operators."""
    body = {"slug": slug, "name": name} | ({"external_id": external_id} if external_id else {})
    session.printer.show(session.remote.json("POST", "/admin/consumers", json=body), CONSUMER, identifier="slug")


def update_consumer(
    session: Session,
    consumer: Consumer,
    name: Annotated[str | None, typer.Option(metavar="TEXT", help="As people read it.")] = None,
    external_id: ExternalId = None,
) -> None:
    """Change a consumer. For operators."""
    changes = {"name": name, "external_id": external_id}
    patch = [
        {"op": "replace", "path": f"/{key}", "value": value} for key, value in changes.items() if value is not None
    ]
    if not patch:
        raise Problem("Nothing to change. Give --name or --external-id.", USAGE)
    session.printer.show(session.remote.json("PATCH", of(consumer), json=patch), CONSUMER, identifier="slug")


def delete_consumer(session: Session, consumer: Consumer) -> None:
    """Delete a consumer that has no clients any more. For operators."""
    session.remote.request("DELETE", of(consumer))
    session.printer.show({"slug": consumer}, ["slug"], identifier="slug")


def access(
    session: Session,
    consumer: Consumer,
    add: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Allow this permission. Repeatable.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Take it. Repeatable.")] = None,
) -> None:
    """Show which permissions a consumer's clients may have, or change that, which is for operators."""
    path = f"{of(consumer)}/access"
    found = session.remote.json("GET", path)
    if add or remove:
        wanted = [scope for scope in found["scopes"] if scope not in (remove or [])]
        found = session.remote.json("PUT", path, json={"scopes": list(dict.fromkeys([*wanted, *(add or [])]))})
    session.printer.show([{"scope": scope} for scope in found["scopes"]], ["scope"], identifier="scope")


def revoke_tokens(session: Session, consumer: Consumer) -> None:
    """End every token that a consumer's clients have got until now. For operators."""
    session.remote.request("DELETE", f"{of(consumer)}/tokens")
    session.printer.say("Every token until now has ended.")


def suspend(session: Session, consumer: Consumer) -> None:
    """Stop a consumer's people and clients at once. For operators."""
    session.printer.show(session.remote.json("POST", f"{of(consumer)}/suspend"), CONSUMER, identifier="slug")


def resume(session: Session, consumer: Consumer) -> None:
    """Undo suspending. For operators."""
    session.printer.show(session.remote.json("POST", f"{of(consumer)}/resume"), CONSUMER, identifier="slug")


# -- Managers ---------------------------------------------------------------------------------------------------------


def list_managers(session: Session, consumer: Consumer) -> None:
    """List who has access, and who is invited."""
    rows = [each | {"state": "member"} for each in session.remote.everything(f"{of(consumer)}/members")]
    rows += [
        each | {"state": f"invited ({each['state']})"} for each in session.remote.everything(invitations(consumer))
    ]
    session.printer.show(rows, MEMBER, identifier="email")


def invite(session: Session, consumer: Consumer, email: Email, role: Role = "manager") -> None:
    """Invite somebody by e-mail."""
    made = session.remote.json("POST", invitations(consumer), json={"email": email, "role": role})
    session.printer.show(made, MEMBER, identifier="email")


def resend(session: Session, consumer: Consumer, email: Email) -> None:
    """Send an invitation again."""
    made = session.remote.json("POST", f"{invitation(session, consumer, email)}/resend")
    session.printer.show(made, MEMBER, identifier="email")


def withdraw(session: Session, consumer: Consumer, email: Email) -> None:
    """Withdraw an invitation."""
    session.remote.request("DELETE", invitation(session, consumer, email))
    session.printer.say(f"The invitation of {email} is withdrawn.")


def set_role(session: Session, consumer: Consumer, email: Email, role: Role = "manager") -> None:
    """Make somebody a manager or a viewer."""
    path = f"{of(consumer)}/members/{found(session, consumer, email)}"
    session.printer.show(session.remote.json("PUT", path, json={"role": role}), MEMBER, identifier="email")


def remove(session: Session, consumer: Consumer, email: Email) -> None:
    """Take somebody's access, at once."""
    session.remote.request("DELETE", f"{of(consumer)}/members/{found(session, consumer, email)}")
    session.printer.say(f"{email} has no access any more.")


def found(session: Session, consumer: str, email: str) -> str:
    for member in session.remote.everything(f"{of(consumer)}/members"):
        if member["email"].lower() == email.lower():
            return part(str(member["id"]))
    raise Problem(f"{email} has no access to {consumer}.", NOT_FOUND)


def invitation(session: Session, consumer: str, email: str) -> str:
    """Return the path of the latest invitation of an address. Raises Problem."""
    for each in session.remote.everything(invitations(consumer)):
        if each["email"].lower() == email.lower():
            return f"{invitations(consumer)}/{part(str(each['id']))}"
    raise Problem(f"{email} is not invited to {consumer}.", NOT_FOUND)


def of(consumer: str) -> str:
    return f"/admin/consumers/{part(consumer)}"


def invitations(consumer: str) -> str:
    return f"{of(consumer)}/invitations"


def add_to(app: typer.Typer) -> None:
    groups: dict[str, tuple[str, dict[str, Callable[..., None]]]] = {
        "consumers": (
            "Consumers, and what they may use.",
            {
                "list": list_consumers,
                "get": get_consumer,
                "create": create_consumer,
                "update": update_consumer,
                "delete": delete_consumer,
                "access": access,
                "suspend": suspend,
                "resume": resume,
                "revoke-tokens": revoke_tokens,
            },
        ),
        "managers": (
            "Who has access to a consumer's clients.",
            {
                "list": list_managers,
                "invite": invite,
                "resend": resend,
                "withdraw": withdraw,
                "set-role": set_role,
                "remove": remove,
            },
        ),
    }
    for name, (text, functions) in groups.items():
        group = typer.Typer(no_args_is_help=True, help=text)
        for verb, function in functions.items():
            group.command(verb)(command(function))
        app.add_typer(group, name=name)
