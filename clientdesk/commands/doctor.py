"""`doctor`: what is wrong with a configuration, and what to do about it."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from clientdesk import credential_store
from clientdesk.problems import Problem
from clientdesk.remote import Remote, part
from clientdesk.session import Session, command

Finding = tuple[str, str, str]  # good, advice or bad; what was looked at; what was found
LEEWAY = 60  # seconds that clocks may differ before tokens are refused
SOON = timedelta(days=14)


def doctor(
    session: Session,
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="TEXT", help="Look at this client too.")
    ] = None,
) -> None:
    """Look at the address, the certificate, the clock, the metadata, the keys, the token and a client."""
    findings = list(examine(session, client_id))
    rows = [{"result": result, "checked": checked, "found": found} for result, checked, found in findings]
    session.printer.show(rows, ["result", "checked", "found"], identifier="result")
    bad = sum(result == "bad" for result, _, _ in findings)
    if bad:
        raise Problem(f"{bad} of {len(findings)} checks found something wrong.")


def examine(session: Session, client_id: str | None) -> Iterator[Finding]:
    stranger = session.stranger()
    yield address(session.endpoint)
    try:
        metadata = stranger.discovery()
    except Problem as problem:
        yield "bad", "server", str(problem)
        return
    yield clock(stranger)
    yield issuer(session.endpoint, metadata)
    yield keys(stranger, metadata)
    yield from kept()
    yield signed_in(session)
    if client_id:
        try:
            client = session.remote.json("GET", f"/admin/clients/{part(client_id)}")
        except Problem as problem:
            yield "bad", "client", str(problem)
        else:
            yield from (check(client) for check in CLIENT_CHECKS)
            yield from secrets(session, client)


def address(endpoint: str) -> Finding:
    parts = urlsplit(endpoint)
    if parts.scheme == "https":
        return "good", "address", endpoint
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return "good", "address", f"{endpoint} (this computer)"
    return "bad", "address", f"{endpoint} has no TLS: everybody on the way reads your token. Use https."


def clock(stranger: Remote) -> Finding:
    date = stranger.request("GET", "/health/alive").headers.get("Date")
    apart = abs(parsedate_to_datetime(date).timestamp() - time.time()) if date else 0.0
    if apart > LEEWAY:
        return "bad", "clock", f"This computer and the server are {apart:.0f} seconds apart. Set the clock (NTP)."
    return "good", "clock", "agrees with the server's"


def issuer(endpoint: str, metadata: dict[str, Any]) -> Finding:
    named = str(metadata.get("issuer", ""))
    if named.rstrip("/") != endpoint:
        advice = "Tokens are refused by whoever expects the other. Use the issuer, or set PUBLIC_URL on the server."
        return "advice", "issuer", f"The server calls itself {named}, you call it {endpoint}. {advice}"
    return "good", "issuer", named


def keys(stranger: Remote, metadata: dict[str, Any]) -> Finding:
    found = stranger.json("GET", str(metadata["jwks_uri"])).get("keys", [])
    if not found:
        return "bad", "keys", f"{metadata['jwks_uri']} publishes none, so no API can verify a token."
    return "good", "keys", ", ".join(f"{key.get('alg')} {key.get('kid')}" for key in found)


def kept() -> Iterator[Finding]:
    """Look at who can read the file with the tokens."""
    file = credential_store.folder() / "credentials.json"
    if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield "bad", "credentials", f"Others can read {file}. Run: chmod 600 {file}"
    try:
        known = credential_store.settings().get("endpoints")
    except Problem as problem:
        yield "bad", "credentials", str(problem)
        return
    if os.environ.get("CLIENTDESK_TOKEN") and known:
        yield "advice", "credentials", "CLIENTDESK_TOKEN is set, and stands before the sign-in of `clientdesk login`."


def signed_in(session: Session) -> Finding:
    try:
        session.remote.request("GET", "/admin/clients", params={"page_size": 1})
    except Problem as problem:
        return "bad", "token", str(problem)
    return "good", "token", "the server accepts it"


# -- A client ---------------------------------------------------------------------------------------------------------


def state(client: dict[str, Any]) -> Finding:
    if client.get("disabled"):
        advice = f"clientdesk enable oauth2-client {client['client_id']}"
        return "bad", "state", f"It is disabled, so that every request is refused. Undo it with: {advice}"
    ends = moment(client.get("expires_at"))
    if ends is not None and ends < datetime.now(UTC):
        return "bad", "state", f"It ended at {client['expires_at']}. Register another."
    return "good", "state", "enabled" if ends is None else f"enabled until {client['expires_at']}"


def secrets(session: Session, client: dict[str, Any]) -> Iterator[Finding]:
    """Look at the secrets of a client that proves itself with one."""
    if not str(client.get("token_endpoint_auth_method")).startswith("client_secret"):
        return
    try:
        found = session.remote.json("GET", f"/admin/clients/{part(str(client['client_id']))}/secrets")
    except Problem as problem:
        yield "bad", "secrets", str(problem)
        return
    live = [each for each in found if each.get("state") not in ("ended", "revoked", "expired")]
    ends = [moment(each.get("expires_at")) for each in live]
    if not live:
        advice = f"clientdesk secrets create {client['client_id']}"
        yield "bad", "secrets", f"None works, so it gets no token. Make one with: {advice}"
    elif all(each is not None and each < datetime.now(UTC) + SOON for each in ends):
        yield "advice", "secrets", f"The last ends at {max(each for each in ends if each)}. Rotate it before."
    else:
        yield "good", "secrets", f"{len(live)} of {len(found)} work"


def moment(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None


def grants(client: dict[str, Any]) -> Finding:
    granted = client.get("grant_types", [])
    if "authorization_code" in granted and "refresh_token" not in granted:
        return "advice", "grant types", "Without refresh_token people sign in again whenever the access token ends."
    return "good", "grant types", ", ".join(granted)


def redirects(client: dict[str, Any]) -> Finding:
    plain = [uri for uri in client.get("redirect_uris", []) if uri.startswith("http://") and not is_loopback(uri)]
    if plain:
        return "bad", "redirect URIs", f"{plain[0]} has no TLS: a code can be read on its way."
    if "authorization_code" not in client.get("grant_types", []):
        return "good", "redirect URIs", "none needed: nobody signs in"
    return "good", "redirect URIs", f"{len(client.get('redirect_uris', []))} registered, compared letter by letter"


def is_loopback(uri: str) -> bool:
    return urlsplit(uri).hostname in ("localhost", "127.0.0.1", "::1")


def scope(client: dict[str, Any]) -> Finding:
    if not client.get("scope"):
        return "bad", "scope", "It may ask for nothing. Give it a permission: clientdesk update oauth2-client --scope …"
    return "good", "scope", str(client["scope"])


def authentication(client: dict[str, Any]) -> Finding:
    method = str(client.get("token_endpoint_auth_method"))
    if method.startswith("client_secret"):
        return "advice", "authentication", f"{method}. A key (private_key_jwt) or the platform's identity can't leak."
    return "good", "authentication", method


CLIENT_CHECKS: list[Callable[[dict[str, Any]], Finding]] = [state, grants, redirects, scope, authentication]


def add_to(app: typer.Typer) -> None:
    app.command("doctor")(command(doctor))
