"""The secrets of a client, and the lifespans of its tokens."""

from typing import Annotated, Any

import typer

from clientdesk.api_client import path_segment
from clientdesk.confirm import Yes, confirm
from clientdesk.errors import USAGE, CommandError
from clientdesk.interrupts import finishing_steps
from clientdesk.session import ClientId, ExpiresAt, Session, command
from clientdesk.verbs import Verbs

_COLUMNS = ["id", "name", "hint", "state", "created_at", "expires_at", "last_used_at"]
_CREATED = ["client_id", "client_secret", "id", "name", "hint", "expires_at"]
_KEEP_IT = "Keep the secret now: it is shown only once."
SecretId = Annotated[str, typer.Argument(metavar="SECRET_ID", help="As `list secrets` shows it.", show_default=False)]


def list_secrets(session: Session, client_id: ClientId) -> None:
    """List a client's secrets, without their values."""
    session.printer.show(session.api.json("GET", _path(client_id)), _COLUMNS, identifier="id")


def get_secret(session: Session, client_id: ClientId, secret_id: SecretId) -> None:
    """Show a secret, without its value."""
    path = f"{_path(client_id)}/{path_segment(secret_id)}"
    session.printer.show(session.api.json("GET", path), _COLUMNS, identifier="id")


def create_secret(
    session: Session,
    client_id: ClientId,
    name: Annotated[str, typer.Option(metavar="TEXT", help="Where it is used.", show_default=False)] = "",
    expires_at: ExpiresAt = None,
) -> None:
    """Create one more secret for a client. It is printed once and can't be read again."""
    body = {"name": name} | ({"expires_at": expires_at} if expires_at else {})
    with finishing_steps():
        created = session.api.json("POST", _path(client_id), json=body)
        session.printer.show({"client_id": client_id} | created, _CREATED, identifier="client_secret")
        session.printer.say(_KEEP_IT)


def rotate_secret(
    session: Session,
    *,
    client_id: ClientId,
    secret_id: Annotated[
        str | None,
        typer.Argument(metavar="SECRET_ID", help="The secret to replace; by default all.", show_default=False),
    ] = None,
    previous_expires_at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When the replaced secret expires, such as 2027-01-31T12:00:00Z."),
    ] = None,
    revoke_previous: Annotated[
        bool, typer.Option("--revoke-previous", help="Revoke what it replaces at once.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Create a secret in place of one, or of all.

    Of all, the previous ones stay valid until they are revoked; one expires a day after the first use of the new one.
    Either is revoked at once with --revoke-previous.
    """
    rotation = (
        f"{_path(client_id)}/rotate" if secret_id is None else f"{_path(client_id)}/{path_segment(secret_id)}/rotate"
    )
    if previous_expires_at and (secret_id is None or revoke_previous):
        raise CommandError("--previous-expires-at needs SECRET_ID, and excludes --revoke-previous.", USAGE)
    if revoke_previous:
        confirm("Revoke what it replaces? Requests that still use it will fail.", yes=yes)
    with finishing_steps():
        if secret_id is None:
            created = session.api.json("POST", rotation)
        else:
            expiry: dict[str, Any] = (
                {"previous_expires_at": previous_expires_at}
                if previous_expires_at
                else {"previous_expires_after_first_use": True}
            )
            created = {"client_id": client_id} | session.api.json("POST", rotation, json=expiry)
        # First: what follows may fail. Where it can't be printed, nothing is revoked.
        session.printer.show(created, _CREATED, identifier="client_secret")
        session.printer.say(_KEEP_IT)
    if revoke_previous:
        session.api.request("DELETE", rotation if secret_id is None else rotation.removesuffix("/rotate"))


def update_secret(
    session: Session,
    client_id: ClientId,
    secret_id: SecretId,
    expires_at: ExpiresAt = None,
    never_expires: Annotated[bool, typer.Option("--never-expires", help="Valid until it is revoked.")] = False,
) -> None:
    """Change when a secret expires."""
    path = f"{_path(client_id)}/{path_segment(secret_id)}"
    if bool(expires_at) == never_expires:
        raise CommandError("Give --expires-at or --never-expires.", USAGE)
    session.printer.show(session.api.json("PUT", path, json={"expires_at": expires_at}), _COLUMNS, identifier="id")


def revoke_secret(session: Session, client_id: ClientId, secret_id: SecretId, yes: Yes = False) -> None:
    """Revoke a secret."""
    path = f"{_path(client_id)}/{path_segment(secret_id)}"
    confirm(f"Revoke secret {secret_id}? Requests that still use it will fail.", yes=yes)
    session.api.request("DELETE", path)
    session.printer.say("Revoked.")


def get_lifespans(session: Session, client_id: ClientId) -> None:
    """Show the lifespans of a client's tokens."""
    _show_lifespans(session, client_id, session.api.json("GET", f"/admin/clients/{path_segment(client_id)}"))


def update_lifespans(
    session: Session,
    client_id: ClientId,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=DURATION", help="Such as client-credentials-grant-access-token=15m. Repeatable."
        ),
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Use the default for every one.")] = False,
) -> None:
    """Replace all lifespans of a client's tokens; one that is left out becomes the default."""
    pairs = [text.partition("=") for text in set_ or []]
    if not all(equals for _, equals, _ in pairs):
        raise CommandError("Write --set as name=duration.", USAGE)
    if bool(pairs) == reset:
        raise CommandError("Give --set or --reset.", USAGE)
    body = {_lifespan_member(name): duration or None for name, _, duration in pairs}
    path = f"/admin/clients/{path_segment(client_id)}/lifespans"
    _show_lifespans(session, client_id, session.api.json("PUT", path, json=body))


def _show_lifespans(session: Session, client_id: str, client: dict[str, Any]) -> None:
    lifespans = {name: value for name, value in client.items() if name.endswith("_lifespan")}
    found = {"client_id": client_id} | lifespans
    session.printer.show(found, list(found))
    if not any(lifespans.values()):
        session.printer.say("Every lifespan is the default of its API and consumer.")


def _lifespan_member(name: str) -> str:
    """Return Ory's name: `client_credentials_grant_access_token` is enough."""
    name = name.replace("-", "_")
    return name if name.endswith("_lifespan") else f"{name}_lifespan"


def _path(client_id: str) -> str:
    return f"/admin/clients/{path_segment(client_id)}/secrets"


def add_to(verbs: Verbs) -> None:
    verbs.add("list", "secrets", command(list_secrets))
    verbs.add("get", "secret", command(get_secret))
    verbs.add("create", "secret", command(create_secret))
    verbs.add("rotate", "secret", command(rotate_secret))
    verbs.add("update", "secret", command(update_secret))
    verbs.add("revoke", "secret", command(revoke_secret))
    verbs.add("get", "lifespans", command(get_lifespans))
    verbs.add("update", "lifespans", command(update_lifespans))
