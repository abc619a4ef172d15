"""`rotate-secret`, `secrets` and `lifespans` of a client."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from clientdesk.problems import USAGE, Problem
from clientdesk.remote import part
from clientdesk.session import ClientId, Session, command

COLUMNS = ["id", "name", "hint", "state", "created_at", "expires_at", "last_used_at"]
MADE = ["client_id", "client_secret", "id", "name", "hint", "expires_at"]
Moment = Annotated[
    str | None, typer.Option(metavar="TIME", help="When it ends, such as 2027-01-31T12:00:00Z.", show_default=False)
]
SecretId = Annotated[str, typer.Argument(metavar="SECRET_ID", help="As `secrets list` shows it.", show_default=False)]


def rotate(
    session: Session,
    client_id: ClientId,
    drop_old: Annotated[bool, typer.Option("--drop-old", help="End the rotated ones at once.")] = False,
) -> None:
    """Make a new secret. The former ones go on working until you end them: with --drop-old, now."""
    path = f"/admin/clients/{part(client_id)}/secrets/rotate"
    made = session.remote.json("POST", path)
    if drop_old:
        session.remote.request("DELETE", path)
    session.printer.show(made, ["client_id", "client_secret"])
    session.printer.say("Keep the secret now: it is shown this once.")


def listed(session: Session, client_id: ClientId) -> None:
    """List a client's secrets, without their texts."""
    session.printer.show(session.remote.json("GET", secrets_of(client_id)), COLUMNS, identifier="id")


def create(
    session: Session,
    client_id: ClientId,
    name: Annotated[str, typer.Option(metavar="TEXT", help="Where it is used.", show_default=False)] = "",
    expires_at: Moment = None,
) -> None:
    """Give a client one more secret, printed once."""
    body = {"name": name} | ({"expires_at": expires_at} if expires_at else {})
    made = session.remote.json("POST", secrets_of(client_id), json=body)
    session.printer.show({"client_id": client_id} | made, MADE, identifier="client_secret")
    session.printer.say("Keep the secret now: it is shown this once.")


def replace(
    session: Session,
    client_id: ClientId,
    secret_id: SecretId,
    ends_at: Annotated[str | None, typer.Option(metavar="TIME", help="When the old one ends.")] = None,
) -> None:
    """Make a new secret in place of one, which ends a day after the new one is first used, or when you say."""
    ends = {"ends_at": ends_at} if ends_at else {"ends_after_first_use": True}
    made = session.remote.json("POST", f"{secrets_of(client_id)}/{part(secret_id)}/rotate", json=ends)
    session.printer.show({"client_id": client_id} | made, MADE, identifier="client_secret")
    session.printer.say("Keep the secret now: it is shown this once.")


def expire(session: Session, client_id: ClientId, secret_id: SecretId, expires_at: Moment = None) -> None:
    """Set when a secret ends; without --expires-at it ends only when somebody revokes it."""
    path = f"{secrets_of(client_id)}/{part(secret_id)}"
    session.printer.show(session.remote.json("PUT", path, json={"expires_at": expires_at}), COLUMNS, identifier="id")


def revoke(session: Session, client_id: ClientId, secret_id: SecretId) -> None:
    """End a secret now."""
    session.remote.request("DELETE", f"{secrets_of(client_id)}/{part(secret_id)}")
    session.printer.say("Revoked.")


def secrets_of(client_id: str) -> str:
    return f"/admin/clients/{part(client_id)}/secrets"


def lifespans(
    session: Session,
    client_id: ClientId,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=DURATION", help="Such as client-credentials-grant-access-token=15m. Repeatable."
        ),
    ] = None,
) -> None:
    """Show the lifetimes of a client's tokens, or with --set replace them all."""
    if set_ is None:
        found = session.remote.json("GET", f"/admin/clients/{part(client_id)}")
    else:
        pairs = [text.partition("=") for text in set_]
        if not all(equals for _, equals, _ in pairs):
            raise Problem("Write --set as name=duration.", USAGE)
        body = {long(name): duration or None for name, _, duration in pairs}
        found = session.remote.json("PUT", f"/admin/clients/{part(client_id)}/lifespans", json=body)
    shown: dict[str, Any] = {"client_id": client_id}
    shown |= {name: value for name, value in found.items() if name.endswith("_lifespan")}
    session.printer.show(shown, list(shown))
    if not any(value for name, value in shown.items() if name != "client_id"):
        session.printer.say("Every lifetime is the default of its API and consumer.")


def long(name: str) -> str:
    """Return Ory's name: `client_credentials_grant_access_token` is enough."""
    name = name.replace("-", "_")
    return name if name.endswith("_lifespan") else f"{name}_lifespan"


def add_to(app: typer.Typer) -> None:
    app.command("rotate-secret")(command(rotate))
    app.command("lifespans")(command(lifespans))
    group = typer.Typer(no_args_is_help=True, help="The secrets of a client.")
    verbs: dict[str, Callable[..., None]] = {
        "list": listed,
        "create": create,
        "rotate": replace,
        "expire": expire,
        "revoke": revoke,
    }
    for name, function in verbs.items():
        group.command(name)(command(function))
    app.add_typer(group, name="secrets")
