"""`login` and `logout`."""

import webbrowser
from typing import Annotated

import typer

from clientdesk import credential_store, device
from clientdesk.output import errors
from clientdesk.printable import printable
from clientdesk.session import Session, command

# Whatever the management API offers; what the person may not do, the program may not either.
MANAGED = (
    *("clients:read", "clients:write", "secrets:rotate", "consumers:read", "consumers:write"),
    *("apis:read", "apis:write", "activity:read", "tokens:read", "tokens:write"),
)
SCOPE = " ".join(["openid", "offline_access", *(f"clientdesk:{name}" for name in MANAGED)])


def login(
    session: Session,
    keyring: Annotated[bool, typer.Option("--keyring", help="Keep the token in the system's keyring.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, open nothing.")] = False,
) -> None:
    """Sign in with the browser; what follows acts as you."""
    credential_store.settings()  # before the person has done their part, in case it could not be kept
    credential_store.made()
    stranger = session.stranger()
    codes = device.authorize(stranger, SCOPE)
    address = str(codes.get("verification_uri_complete") or codes["verification_uri"])
    errors.print(f"Open {printable(address)}", highlight=False)
    errors.print(f"and check that it shows the code {printable(str(codes['user_code']))}.", highlight=False)
    if not no_browser:
        webbrowser.open(address)
    with errors.status("Waiting for you to allow it …"):
        tokens = device.wait(stranger, codes)
    kept = {name: tokens[name] for name in ("access_token", "refresh_token", "expires_at") if name in tokens}
    where = credential_store.remember(session.endpoint, kept | {"in_keyring": keyring}, in_keyring=keyring)
    session.printer.say(f"Signed in to {session.endpoint}. The token is kept in {where}.")


def logout(session: Session) -> None:
    """Forget the token, and revoke it on the server."""
    known = credential_store.recall(session.endpoint)
    if not known:
        session.printer.say(f"You were not signed in to {session.endpoint}.")
        return
    if token := known.get("refresh_token"):
        stranger = session.stranger()
        endpoint = str(stranger.discovery()["revocation_endpoint"])
        stranger.request("POST", endpoint, data={"token": token, "client_id": device.CLIENT_ID})
    credential_store.forget(session.endpoint)
    session.printer.say(f"Signed out of {session.endpoint}.")


def add_to(app: typer.Typer) -> None:
    app.command("login")(command(login))
    app.command("logout")(command(logout))
