"""`registration`: how clients may register themselves."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from clientdesk.commands.workspaces import of
from clientdesk.problems import NOT_FOUND, Problem
from clientdesk.remote import part
from clientdesk.session import Consumer, Session, command

Many = Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Only these. Repeatable.")]
Days = Annotated[int | None, typer.Option(metavar="NUMBER", help="Clients end after so many days.")]


def enable(
    session: Session, consumer: Consumer, grant_type: Many = None, scope: Many = None, client_days: Days = None
) -> None:
    """Let anybody register clients for this consumer. For operators."""
    body: dict[str, Any] = {"consumer": consumer} | limits(grant_type, scope, client_days)
    session.printer.show(session.remote.json("PUT", "/admin/registration", json=body), list(body), "consumer")


def show_door(session: Session) -> None:
    """Say whether anybody may register clients, and for which consumer. For operators."""
    try:
        found = session.remote.json("GET", "/admin/registration")
    except Problem as problem:
        if problem.status != NOT_FOUND:
            raise
        raise Problem("Registration takes an initial access token.", NOT_FOUND) from None
    session.printer.show(found, list(found), "consumer")


def list_tokens(session: Session, consumer: Consumer) -> None:
    """List a consumer's initial access tokens, without their texts."""
    columns = ["id", "name", "hint", "state", "uses", "used", "expires_at", "last_used_at"]
    session.printer.show(session.remote.json("GET", f"{of(consumer)}/registration-tokens"), columns, "id")


def revoke_initial(
    session: Session,
    consumer: Consumer,
    token_id: Annotated[
        str, typer.Argument(metavar="TOKEN_ID", help="As `registration tokens` shows it.", show_default=False)
    ],
) -> None:
    """End an initial access token. Clients that it let in stay."""
    session.remote.request("DELETE", f"{of(consumer)}/registration-tokens/{part(token_id)}")
    session.printer.say("Revoked.")


def disable(session: Session) -> None:
    """Let nobody register without an initial access token. For operators."""
    session.remote.request("DELETE", "/admin/registration")
    session.printer.say("Registration takes an initial access token now.")


def initial_token(
    session: Session,
    consumer: Consumer,
    *,
    name: Annotated[str, typer.Option(metavar="TEXT", help="Who will use it.", show_default=False)],
    expires_at: Annotated[
        str, typer.Option(metavar="TIME", help="When it ends, such as 2027-01-31T12:00:00Z.", show_default=False)
    ],
    uses: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="How many clients; any number when it is left out.")
    ] = None,
    grant_type: Many = None,
    scope: Many = None,
    client_days: Days = None,
) -> None:
    """Make an initial access token, printed once."""
    body = {"name": name, "expires_at": expires_at, "uses": uses} | limits(grant_type, scope, client_days)
    made = session.remote.json("POST", f"{of(consumer)}/registration-tokens", json=body)
    columns = ["initial_access_token", "name", "uses", "expires_at", "grant_types", "scopes"]
    session.printer.show(made, columns, identifier="initial_access_token")
    session.printer.say("Keep the token now: it is shown this once.")


def limits(grant_type: list[str] | None, scope: list[str] | None, client_days: int | None) -> dict[str, Any]:
    given: dict[str, Any] = {"grant_types": grant_type, "scopes": scope, "client_days": client_days}
    return {name: value for name, value in given.items() if value}


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="How clients may register themselves.")
    verbs: dict[str, Callable[..., None]] = {
        "show": show_door,
        "enable": enable,
        "disable": disable,
        "token": initial_token,
        "tokens": list_tokens,
        "revoke": revoke_initial,
    }
    for name, function in verbs.items():
        group.command(name)(command(function))
    app.add_typer(group, name="registration")
