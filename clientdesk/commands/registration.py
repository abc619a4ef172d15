"""Dynamic client registration (RFC 7591): open registration, and initial access tokens."""

from typing import Annotated, Any

import typer

from clientdesk.api_client import path_segment
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import NOT_FOUND, CommandError
from clientdesk.interrupts import finishing_steps
from clientdesk.session import ClientId, Consumer, Session, command
from clientdesk.verbs import Verbs

_COLUMNS = ["id", "name", "hint", "state", "max_uses", "use_count", "expires_at", "last_used_at"]
_CREATED = ["initial_access_token", "id", "name", "max_uses", "expires_at", "grant_types", "scopes"]
GrantTypes = Annotated[
    list[str] | None, typer.Option("--grant-type", metavar="TEXT", help="Only these grant types. Repeatable.")
]
OpenGrantTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--grant-type",
        metavar="TEXT",
        help="These grant types; by default authorization_code and refresh_token. Repeatable.",
    ),
]
Scopes = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="TEXT", help="Only these scopes of APIs; by default none. Repeatable."),
]
ClientLifetime = Annotated[
    int | None,
    typer.Option("--client-lifetime-days", metavar="NUMBER", help="Days after which the clients expire."),
]

TokenId = Annotated[
    str, typer.Argument(metavar="TOKEN_ID", help="As `list initial-access-tokens` shows it.", show_default=False)
]


def get_registration(session: Session) -> None:
    """Show whether anybody may register clients, and for which consumer. For operators."""
    try:
        found = session.api.json("GET", "/admin/registration")
    except CommandError as error:
        if error.status != NOT_FOUND:
            raise
        message = "Open registration is disabled: registration needs an initial access token."
        raise CommandError(message, NOT_FOUND) from None
    session.printer.show(found, list(found), "consumer")


def enable_registration(
    session: Session,
    consumer: Consumer,
    grant_type: OpenGrantTypes = None,
    scope: Scopes = None,
    client_lifetime_days: ClientLifetime = None,
) -> None:
    """Let anybody register clients for this consumer. For operators."""
    body: dict[str, Any] = {"consumer": consumer} | _limits(grant_type, scope, client_lifetime_days)
    session.printer.show(session.api.json("PUT", "/admin/registration", json=body), list(body), "consumer")


def disable_registration(session: Session, yes: Yes = False) -> None:
    """Require an initial access token for registration. For operators."""
    confirm("Disable open registration? Clients that registered stay.", yes=yes)
    session.api.request("DELETE", "/admin/registration")
    session.printer.say("Open registration is disabled: registration needs an initial access token.")


def list_initial_access_tokens(session: Session, consumer: Consumer) -> None:
    """List a consumer's initial access tokens, without their values."""
    session.printer.show(session.api.json("GET", _path(consumer)), _COLUMNS, "id")


def get_initial_access_token(session: Session, consumer: Consumer, token_id: TokenId) -> None:
    """Show an initial access token, without its value."""
    session.printer.show(session.api.json("GET", f"{_path(consumer)}/{path_segment(token_id)}"), _COLUMNS, "id")


def create_initial_access_token(
    session: Session,
    consumer: Consumer,
    *,
    name: Annotated[str, typer.Option(metavar="TEXT", help="Who will use it.", show_default=False)],
    expires_at: Annotated[
        str, typer.Option(metavar="TIME", help="When it expires, such as 2027-01-31T12:00:00Z.", show_default=False)
    ],
    max_uses: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="How many clients may register; by default any number.")
    ] = None,
    grant_type: GrantTypes = None,
    scope: Scopes = None,
    client_lifetime_days: ClientLifetime = None,
) -> None:
    """Create an initial access token. It is printed once and can't be read again."""
    body = {"name": name, "expires_at": expires_at, "max_uses": max_uses}
    with finishing_steps():
        created = session.api.json(
            "POST", _path(consumer), json=body | _limits(grant_type, scope, client_lifetime_days)
        )
        session.printer.show(created, _CREATED, identifier="initial_access_token")
        session.printer.say("Keep the token now: it is shown only once.")


def revoke_initial_access_token(session: Session, consumer: Consumer, token_id: TokenId, yes: Yes = False) -> None:
    """Revoke an initial access token. Clients that registered with it stay."""
    path = f"{_path(consumer)}/{path_segment(token_id)}"
    confirm(f"Revoke initial access token {token_id}? No client can register with it any more.", yes=yes)
    session.api.request("DELETE", path)
    session.printer.say("Revoked.")


def get_registration_access_token(session: Session, client_id: ClientId) -> None:
    """Show the token with which a client changes its own registration, without its value."""
    found = session.api.json("GET", _token_path(client_id))
    session.printer.show(found, ["hint", "created_at", "created_by", "expires_at"], "hint")


def revoke_registration_access_token(session: Session, client_id: ClientId, yes: Yes = False) -> None:
    """Revoke the token with which a client changes its own registration. The client stays."""
    confirm(f"Revoke the registration access token of {client_id}? It can no longer change itself.", yes=yes)
    session.api.request("DELETE", _token_path(client_id))
    session.printer.say("Revoked.")


def _token_path(client_id: str) -> str:
    return f"/admin/clients/{path_segment(client_id)}/registration-access-token"


def _limits(grant_type: list[str] | None, scope: list[str] | None, client_lifetime_days: int | None) -> dict[str, Any]:
    given = {"grant_types": grant_type, "scopes": scope, "client_lifetime_days": client_lifetime_days}
    return {name: value for name, value in given.items() if value}


def _path(consumer: str) -> str:
    return f"/admin/consumers/{path_segment(consumer)}/initial-access-tokens"


def add_to(verbs: Verbs) -> None:
    verbs.add("get", "registration", command(get_registration))
    verbs.add("enable", "registration", command(enable_registration))
    verbs.add("disable", "registration", command(disable_registration))
    verbs.add("list", "initial-access-tokens", command(list_initial_access_tokens))
    verbs.add("get", "initial-access-token", command(get_initial_access_token))
    verbs.add("create", "initial-access-token", command(create_initial_access_token))
    verbs.add("revoke", "initial-access-token", command(revoke_initial_access_token))
    verbs.add("get", "registration-access-token", command(get_registration_access_token))
    verbs.add("revoke", "registration-access-token", command(revoke_registration_access_token))
