"""Introspect and revoke tokens, and get the identity token of a workload."""

import sys
from typing import Annotated

import typer

from clientdesk.client_authentication import AuthMethodOption, authentication_of
from clientdesk.commands.perform import TOKEN_COLUMNS, ClientIdOption, ClientSecretOption
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import FAILED, USAGE, CommandError
from clientdesk.input import read_line
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

Dash = Annotated[
    list[str] | None,
    typer.Argument(metavar="-", help="Nothing, or “-”: the token is read from standard input.", show_default=False),
]


def introspect_token(
    session: Session,
    dash: Dash = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="TEXT", help="Scope that it must have. Repeatable.")
    ] = None,
) -> None:
    """Show whether a token is active, and its claims (RFC 7662). The token is read from standard input."""
    form = {"token": _read_token(dash)} | ({"scope": " ".join(scope)} if scope else {})
    found = session.api.json("POST", "/admin/oauth2/introspect", data=form)
    session.printer.show(found, list(found), identifier="active")
    if not found.get("active"):
        raise CommandError("The token is not active.", FAILED)


def revoke_token(
    session: Session,
    *,
    client_id: ClientIdOption,
    dash: Dash = None,
    token_endpoint_auth_method: AuthMethodOption = None,
    client_secret: ClientSecretOption = None,
    yes: Yes = False,
) -> None:
    """Revoke a token, as the client that it was issued to (RFC 7009). The token is read from standard input."""
    form = {"token": _read_token(dash)}
    confirm("Revoke this token, and what was issued with it?", yes=yes)
    api, client = session.anonymous_api(), authentication_of(client_id, token_endpoint_auth_method)
    client.post(api, str(api.discovery()["revocation_endpoint"]), form)
    session.printer.say("Revoked.")


def create_identity_token(
    session: Session,
    *,
    client_id: ClientIdOption,
    audience: Annotated[
        str | None, typer.Option("--audience", metavar="TEXT", help="Audience; the client's own by default.")
    ] = None,
    token_endpoint_auth_method: AuthMethodOption = None,
    client_secret: ClientSecretOption = None,
) -> None:
    """Get an identity token of a workload.

    The secret comes from CLIENTDESK_CLIENT_SECRET or standard input, an assertion from CLIENTDESK_CLIENT_ASSERTION.
    With --quiet the token alone is printed, for a file or a variable.
    """
    api = session.anonymous_api()
    issuer = str(api.discovery().get("workload_issuer", ""))
    if not issuer:
        raise CommandError("This server does not issue identity tokens.")
    form = {"audience": audience} if audience else {}
    created = authentication_of(client_id, token_endpoint_auth_method).post(api, f"{issuer}/token", form)
    session.printer.show(created, TOKEN_COLUMNS, identifier="id_token")


def _read_token(words: list[str] | None) -> str:
    """Return the token of standard input. Whatever but `-` was typed in its place may be a token."""
    if [word for word in words or [] if word != "-"]:
        raise CommandError("Every process can read a command line. Give the token on standard input instead.", USAGE)
    text = str(typer.prompt("Token", hide_input=True, err=True)) if sys.stdin.isatty() else read_line()
    if not text.strip():
        raise CommandError("Give the token on standard input.", USAGE)
    return text.strip()


def add_to(verbs: Verbs) -> None:
    verbs.add("introspect", "token", command(introspect_token))
    verbs.add("revoke", "token", command(revoke_token))
    verbs.add("create", "identity-token", command(create_identity_token))
