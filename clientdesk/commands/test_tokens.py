"""Test tokens: access tokens that people create to try an API."""

from typing import Annotated, Any

import typer

from clientdesk.api_client import path_segment
from clientdesk.confirm import Yes, confirm
from clientdesk.input import read_json_option
from clientdesk.session import ClientId, Session, command
from clientdesk.verbs import Verbs

_COLUMNS = ["jti", "scope", "audience", "user_id", "reason", "created_by", "expires_at"]
Jti = Annotated[str, typer.Argument(metavar="JTI", help="As `list test-tokens` shows it.", show_default=False)]


def create_test_token(
    session: Session,
    client_id: ClientId,
    *,
    scope: Annotated[list[str], typer.Option(metavar="TEXT", help="Scope. Repeatable.", show_default=False)],
    reason: Annotated[
        str, typer.Option(metavar="TEXT", help="Why you need it; the activity shows it.", show_default=False)
    ],
    expires_in: Annotated[int, typer.Option(metavar="NUMBER", help="Lifetime in seconds.")] = 600,
    user_id: Annotated[str | None, typer.Option(metavar="TEXT", help="Subject: the ID of a user.")] = None,
    role: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Role of the user. Repeatable.")] = None,
    audience: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Audience. Repeatable.")] = None,
    claims: Annotated[str | None, typer.Option(metavar="JSON", help="Further claims: a JSON object, or @FILE.")] = None,
) -> None:
    """Create a test token: a valid access token that is marked, listed and revocable."""
    optional = {
        "user_id": user_id,
        "roles": role,
        "audience": audience,
        "claims": read_json_option(claims, "--claims") if claims else None,
    }
    body: dict[str, Any] = {"scope": " ".join(scope), "reason": reason, "expires_in": expires_in}
    body |= {name: value for name, value in optional.items() if value}
    if user_id:
        body["grant_type"] = "authorization_code"
    created = session.api.json("POST", _path(client_id), json=body)
    session.printer.show(created, ["access_token", *_COLUMNS], identifier="access_token")


def list_test_tokens(session: Session, client_id: ClientId) -> None:
    """List a client's test tokens, without their values."""
    session.printer.show(session.api.json("GET", _path(client_id)), _COLUMNS, identifier="jti")


def get_test_token(session: Session, client_id: ClientId, jti: Jti) -> None:
    """Show a test token, without its value."""
    session.printer.show(session.api.json("GET", f"{_path(client_id)}/{path_segment(jti)}"), _COLUMNS, identifier="jti")


def revoke_test_token(session: Session, client_id: ClientId, jti: Jti, yes: Yes = False) -> None:
    """Revoke a test token."""
    path = f"{_path(client_id)}/{path_segment(jti)}"
    confirm(f"Revoke test token {jti}?", yes=yes)
    session.api.request("DELETE", path)
    session.printer.say("Revoked.")


def _path(client_id: str) -> str:
    return f"/admin/clients/{path_segment(client_id)}/test-tokens"


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "test-tokens", command(list_test_tokens))
    verbs.add("get", "test-token", command(get_test_token))
    verbs.add("create", "test-token", command(create_test_token))
    verbs.add("revoke", "test-token", command(revoke_test_token))
