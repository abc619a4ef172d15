"""Sign in and out: `login` and `logout`."""

import webbrowser
from typing import Annotated

import typer

from clientdesk import credential_store, device_flow
from clientdesk.output import stderr
from clientdesk.sanitize import sanitize
from clientdesk.session import Session, command

# Of the management API; a token never allows more than the person's own role does.
_READING = ("clients:read", "consumers:read", "connections:read", "apis:read", "activity:read", "tokens:read")
_WRITING = ("clients:write", "secrets:rotate", "consumers:write", "connections:write", "apis:write", "tokens:write")


def _scope(write: bool) -> str:
    names = (*_READING, *_WRITING) if write else _READING
    return " ".join(["openid", "offline_access", *(f"clientdesk:{name}" for name in names)])


def login(
    session: Session,
    write: Annotated[bool, typer.Option("--write", help="Also allow commands that change something.")] = False,
    keyring: Annotated[bool, typer.Option("--keyring", help="Keep the tokens in the system's keyring.")] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the URL, and open no browser.")] = False,
) -> None:
    """Sign in with the browser. Commands then act as you, and read; with --write they also change things."""
    credential_store.load()  # before the person has signed in, in case the tokens can't be stored
    with credential_store.room_for_tokens():
        pass
    api = session.anonymous_api()
    codes = device_flow.request_codes(api, _scope(write))
    url = str(codes.get("verification_uri_complete") or codes["verification_uri"])
    stderr.print(f"Open {sanitize(url)}", highlight=False)
    stderr.print(f"and check that it shows the code {sanitize(str(codes['user_code']))}.", highlight=False)
    if not no_browser:
        webbrowser.open(url)
    with stderr.status("Waiting for your confirmation …"):
        tokens = device_flow.poll_for_tokens(api, codes)
    stored = {name: tokens[name] for name in ("access_token", "refresh_token", "expires_at") if name in tokens}
    where = credential_store.save_tokens(session.endpoint, stored | {"in_keyring": keyring}, in_keyring=keyring)
    session.printer.say(f"Signed in to {session.endpoint}. The tokens are stored in {where}.")


def logout(session: Session) -> None:
    """Revoke the tokens, and delete them here."""
    tokens = credential_store.load_tokens(session.endpoint)
    if not tokens:
        session.printer.say(f"You were not signed in to {session.endpoint}.")
        return
    if refresh_token := tokens.get("refresh_token"):
        api = session.anonymous_api()
        url = str(api.discovery()["revocation_endpoint"])
        api.request("POST", url, data={"token": refresh_token, "client_id": device_flow.CLIENT_ID})
    credential_store.delete_tokens(session.endpoint)
    session.printer.say(f"Signed out of {session.endpoint}.")


def add_to(app: typer.Typer) -> None:
    app.command("login")(command(login))
    app.command("logout")(command(logout))
