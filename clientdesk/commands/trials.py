"""`test-token`, and the list and end of those: tokens made by hand, to try an API with."""

from typing import Annotated, Any

import typer

from clientdesk.reading import read_option
from clientdesk.remote import part
from clientdesk.session import ClientId, Session, command

COLUMNS = ["jti", "scope", "audience", "user_id", "reason", "created_by", "expires_at"]


def make_test_token(
    session: Session,
    client_id: ClientId,
    *,
    scope: Annotated[list[str], typer.Option(metavar="TEXT", help="Permission. Repeatable.", show_default=False)],
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why it is made; it stands in the activity.", show_default=False)
    ],
    expires_in: Annotated[int, typer.Option(metavar="NUMBER", help="Seconds.")] = 600,
    user_id: Annotated[str | None, typer.Option(metavar="TEXT", help="Whom it speaks for.")] = None,
    role: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="A role of theirs. Repeatable.")] = None,
    audience: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Which API. Repeatable.")] = None,
    claims: Annotated[str | None, typer.Option(metavar="JSON", help="Further claims: a JSON object, or @FILE.")] = None,
) -> None:
    """Make a test token by hand: a real one that says so, is listed, and can be revoked."""
    body: dict[str, Any] = {"scope": " ".join(scope), "reason": reason, "expires_in": expires_in}
    more = {
        "user_id": user_id,
        "roles": role,
        "audience": audience,
        "claims": read_option(claims, "--claims") if claims else None,
    }
    body |= {name: value for name, value in more.items() if value}
    if user_id:
        body["grant_type"] = "authorization_code"
    made = session.remote.json("POST", tokens_of(client_id), json=body)
    session.printer.show(made, ["access_token", *COLUMNS], identifier="access_token")


def listed(session: Session, client_id: ClientId) -> None:
    """List a client's test tokens, without their texts."""
    session.printer.show(session.remote.json("GET", tokens_of(client_id)), COLUMNS, identifier="jti")


def revoke(
    session: Session,
    client_id: ClientId,
    jti: Annotated[str, typer.Argument(metavar="JTI", help="As `list test-tokens` shows it.", show_default=False)],
) -> None:
    """End a test token."""
    session.remote.request("DELETE", f"{tokens_of(client_id)}/{part(jti)}")
    session.printer.say("Revoked.")


def tokens_of(client_id: str) -> str:
    return f"/admin/clients/{part(client_id)}/test-tokens"


def add_to(app: typer.Typer, verbs: dict[str, typer.Typer]) -> None:
    app.command("test-token")(command(make_test_token))
    verbs["list"].command("test-tokens")(command(listed))
    verbs["delete"].command("test-token")(command(revoke))
