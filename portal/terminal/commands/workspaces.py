"""`consumers`, `managers`, `activity` and `registration`: who may do what, and who did."""

import json
from collections.abc import Callable
from typing import Annotated, Any

import typer

from portal.terminal.problems import NOT_FOUND, Problem
from portal.terminal.remote import part
from portal.terminal.session import Session, command

CONSUMER = ["slug", "name", "external_id", "suspended", "created_at"]
MEMBER = ["email", "name", "role", "state", "id"]
EVENT = ["at", "sentence", "ip"]
Consumer = Annotated[str, typer.Argument(help="Short name or ID of the consumer.")]
Role = Annotated[str, typer.Option(help="manager or viewer.")]


# -- Consumers --------------------------------------------------------------------------------------------------------


def list_consumers(session: Session) -> None:
    """List the consumers that you may see."""
    session.printer.show(session.remote.everything("/admin/consumers"), CONSUMER, identifier="slug")


def get_consumer(session: Session, consumer: Consumer) -> None:
    """Show a consumer."""
    session.printer.show(session.remote.json("GET", of(consumer)), CONSUMER, identifier="slug")


def create_consumer(
    session: Session,
    slug: Annotated[str, typer.Argument(help="Its short name, which stands in addresses.")],
    name: Annotated[str, typer.Option(help="As people read it.")],
    external_id: Annotated[str | None, typer.Option(help="Its number in your own systems.")] = None,
) -> None:
    """Make a consumer. For operators."""
    body = {"slug": slug, "name": name} | ({"external_id": external_id} if external_id else {})
    session.printer.show(session.remote.json("POST", "/admin/consumers", json=body), CONSUMER, identifier="slug")


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


def invite(session: Session, consumer: Consumer, email: str, role: Role = "manager") -> None:
    """Invite somebody by e-mail."""
    made = session.remote.json("POST", invitations(consumer), json={"email": email, "role": role})
    session.printer.show(made, MEMBER, identifier="email")


def set_role(session: Session, consumer: Consumer, email: str, role: Role = "manager") -> None:
    """Make somebody a manager or a viewer."""
    path = f"{of(consumer)}/members/{found(session, consumer, email)}"
    session.printer.show(session.remote.json("PUT", path, json={"role": role}), MEMBER, identifier="email")


def remove(session: Session, consumer: Consumer, email: str) -> None:
    """Take somebody's access, at once."""
    session.remote.request("DELETE", f"{of(consumer)}/members/{found(session, consumer, email)}")
    session.printer.say(f"{email} has no access any more.")


def found(session: Session, consumer: str, email: str) -> str:
    for member in session.remote.everything(f"{of(consumer)}/members"):
        if member["email"].lower() == email.lower():
            return part(str(member["id"]))
    raise Problem(f"{email} has no access to {consumer}.", NOT_FOUND)


def of(consumer: str) -> str:
    return f"/admin/consumers/{part(consumer)}"


def invitations(consumer: str) -> str:
    return f"{of(consumer)}/invitations"


# -- Activity and registration ----------------------------------------------------------------------------------------


def activity(
    session: Session,
    consumer: Annotated[str | None, typer.Option(help="Only in this consumer.")] = None,
    client_id: Annotated[str | None, typer.Option(help="Only what was done to this client.")] = None,
    lines: Annotated[bool, typer.Option("--jsonl", help="One JSON object a line, all of them.")] = False,
) -> None:
    """Show who did what, the latest first."""
    query = {"consumer": consumer, "client_id": client_id}
    if lines:
        for event in session.remote.everything("/admin/activity", page_size=500, **query):
            print(json.dumps(event))
        return
    session.printer.show(next(session.remote.pages("/admin/activity", **query)), EVENT, identifier="id")


Many = Annotated[list[str] | None, typer.Option(help="Only these. Repeatable.")]
Days = Annotated[int | None, typer.Option(help="Clients end after so many days.")]


def enable(
    session: Session, consumer: Consumer, grant_type: Many = None, scope: Many = None, client_days: Days = None
) -> None:
    """Let anybody register clients for this consumer. For operators."""
    body: dict[str, Any] = {"consumer": consumer} | limits(grant_type, scope, client_days)
    session.printer.show(session.remote.json("PUT", "/admin/registration", json=body), list(body), "consumer")


def disable(session: Session) -> None:
    """Let nobody register without an initial access token. For operators."""
    session.remote.request("DELETE", "/admin/registration")
    session.printer.say("Registration takes an initial access token now.")


def initial_token(
    session: Session,
    consumer: Consumer,
    *,
    name: Annotated[str, typer.Option(help="Who will use it.")],
    expires_at: Annotated[str, typer.Option(help="When it ends, such as 2027-01-31T12:00:00Z.")],
    uses: Annotated[int | None, typer.Option(help="How many clients; any number when it is left out.")] = None,
    grant_type: Many = None,
    scope: Many = None,
    client_days: Days = None,
) -> None:
    """Make an initial access token, printed once."""
    body = {"name": name, "expires_at": expires_at, "uses": uses} | limits(grant_type, scope, client_days)
    made = session.remote.json("POST", f"{of(consumer)}/registration-tokens", json=body)
    columns = ["initial_access_token", "name", "uses", "expires_at", "grant_types", "scopes"]
    session.printer.show(made, columns, identifier="initial_access_token")


def limits(grant_type: list[str] | None, scope: list[str] | None, client_days: int | None) -> dict[str, Any]:
    given: dict[str, Any] = {"grant_types": grant_type, "scopes": scope, "client_days": client_days}
    return {name: value for name, value in given.items() if value}


def add_to(app: typer.Typer) -> None:
    groups: dict[str, tuple[str, dict[str, Callable[..., None]]]] = {
        "consumers": (
            "Consumers, and what they may use.",
            {
                "list": list_consumers,
                "get": get_consumer,
                "create": create_consumer,
                "suspend": suspend,
                "resume": resume,
            },
        ),
        "managers": (
            "Who has access to a consumer's clients.",
            {"list": list_managers, "invite": invite, "set-role": set_role, "remove": remove},
        ),
        "registration": (
            "How clients may register themselves.",
            {"enable": enable, "disable": disable, "token": initial_token},
        ),
    }
    for name, (text, functions) in groups.items():
        group = typer.Typer(no_args_is_help=True, help=text)
        for verb, function in functions.items():
            group.command(verb)(command(function))
        app.add_typer(group, name=name)
    app.command("activity")(command(activity))
