"""`doctor`: check the configuration, the server and a client, and say what to do about each finding."""

import os
import stat
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import typer

from clientdesk import credential_store
from clientdesk.api_client import ApiClient, path_segment
from clientdesk.errors import CommandError
from clientdesk.session import Session, command

_MAX_CLOCK_SKEW = 60  # seconds; with more, tokens are refused as expired or not yet valid
_EXPIRES_SOON = timedelta(days=14)


class Finding(NamedTuple):
    """What a check found; `result` is ok, warning or error."""

    result: str
    checked: str
    found: str


def doctor(
    session: Session,
    client_id: Annotated[
        str | None, typer.Argument(metavar="CLIENT_ID", help="Check this client too.", show_default=False)
    ] = None,
) -> None:
    """Check the URL, the certificate, the clock, the metadata, the keys, the token and a client."""
    findings = list(_check_all(session, client_id))
    session.printer.show([each._asdict() for each in findings], Finding._fields, identifier="result")
    errors = sum(each.result == "error" for each in findings)
    if errors:
        raise CommandError(f"{errors} of {len(findings)} checks failed.")


def _check_all(session: Session, client_id: str | None) -> Iterator[Finding]:
    api = session.anonymous_api()
    yield _check_endpoint(session.endpoint)
    try:
        metadata = api.discovery()
    except CommandError as error:
        yield Finding("error", "server", str(error))
        return
    yield _check_clock(api)
    yield _check_issuer(session.endpoint, metadata)
    yield _check_keys(api, metadata)
    yield from _check_credentials()
    yield _check_token(session)
    if client_id:
        try:
            client = session.api.json("GET", f"/admin/clients/{path_segment(client_id)}")
        except CommandError as error:
            yield Finding("error", "client", str(error))
        else:
            yield from (check(client) for check in _CLIENT_CHECKS)
            yield from _check_secrets(session, client)


def _check_endpoint(endpoint: str) -> Finding:
    parts = urlsplit(endpoint)
    if parts.scheme == "https":
        return Finding("ok", "endpoint", endpoint)
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        return Finding("ok", "endpoint", f"{endpoint} (this computer)")
    return Finding("error", "endpoint", f"{endpoint} does not use TLS, so your token can be intercepted. Use https.")


def _check_clock(api: ApiClient) -> Finding:
    date = api.request("GET", "/health/alive").headers.get("Date")
    skew = abs(parsedate_to_datetime(date).timestamp() - time.time()) if date else 0.0
    if skew > _MAX_CLOCK_SKEW:
        message = f"The clocks of this computer and of the server differ by {skew:.0f} seconds. Set the clock (NTP)."
        return Finding("error", "clock", message)
    return Finding("ok", "clock", "agrees with the server's")


def _check_issuer(endpoint: str, metadata: dict[str, Any]) -> Finding:
    issuer = str(metadata.get("issuer", ""))
    if issuer.rstrip("/") != endpoint:
        advice = "Tokens are refused by APIs that expect the other. Use the issuer, or set PUBLIC_URL on the server."
        return Finding("warning", "issuer", f"The server's issuer is {issuer}, and you use {endpoint}. {advice}")
    return Finding("ok", "issuer", issuer)


def _check_keys(api: ApiClient, metadata: dict[str, Any]) -> Finding:
    keys = api.json("GET", str(metadata["jwks_uri"])).get("keys", [])
    if not keys:
        return Finding("error", "keys", f"{metadata['jwks_uri']} publishes none, so no API can verify a token.")
    return Finding("ok", "keys", ", ".join(f"{key.get('alg')} {key.get('kid')}" for key in keys))


def _check_credentials() -> Iterator[Finding]:
    """Check the permissions of the file with the tokens, and whether the environment overrides it."""
    file = credential_store.credentials_file()
    if file.exists() and stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield Finding("error", "credentials", f"Other users can read {file}. Run: chmod 600 {file}")
    try:
        endpoints = credential_store.load().get("endpoints")
    except CommandError as error:
        yield Finding("error", "credentials", str(error))
        return
    if os.environ.get("CLIENTDESK_TOKEN") and endpoints:
        yield Finding("warning", "credentials", "CLIENTDESK_TOKEN is set, and overrides `clientdesk login`.")


def _check_token(session: Session) -> Finding:
    try:
        session.api.request("GET", "/admin/clients", params={"page_size": 1})
    except CommandError as error:
        return Finding("error", "token", str(error))
    return Finding("ok", "token", "the server accepts it")


# -- A client ---------------------------------------------------------------------------------------------------------


def _check_state(client: dict[str, Any]) -> Finding:
    if client.get("disabled"):
        fix = f"clientdesk enable client {client['client_id']}"
        return Finding("error", "state", f"It is disabled, so every request is refused. Enable it with: {fix}")
    expires_at = _parse_time(client.get("expires_at"))
    if expires_at is not None and expires_at < datetime.now(UTC):
        return Finding("error", "state", f"It expired at {client['expires_at']}. Create another.")
    return Finding("ok", "state", "enabled" if expires_at is None else f"enabled until {client['expires_at']}")


def _check_secrets(session: Session, client: dict[str, Any]) -> Iterator[Finding]:
    """Check the secrets of a client that authenticates with one."""
    if not str(client.get("token_endpoint_auth_method")).startswith("client_secret"):
        return
    try:
        found = session.api.json("GET", f"/admin/clients/{path_segment(str(client['client_id']))}/secrets")
    except CommandError as error:
        yield Finding("error", "secrets", str(error))
        return
    valid = [each for each in found if each.get("state") not in ("expired", "revoked")]
    expiry = [_parse_time(each.get("expires_at")) for each in valid]
    if not valid:
        fix = f"clientdesk create secret {client['client_id']}"
        yield Finding("error", "secrets", f"None is valid, so it gets no token. Create one with: {fix}")
    elif all(each is not None and each < datetime.now(UTC) + _EXPIRES_SOON for each in expiry):
        last = max(each for each in expiry if each)
        yield Finding("warning", "secrets", f"The last one expires at {last}. Rotate it before.")
    else:
        yield Finding("ok", "secrets", f"{len(valid)} of {len(found)} are valid")


def _check_grant_types(client: dict[str, Any]) -> Finding:
    grant_types = client.get("grant_types", [])
    if "authorization_code" in grant_types and "refresh_token" not in grant_types:
        message = "Without refresh_token people have to sign in again whenever the access token expires."
        return Finding("warning", "grant types", message)
    return Finding("ok", "grant types", ", ".join(grant_types))


def _check_redirect_uris(client: dict[str, Any]) -> Finding:
    uris = client.get("redirect_uris", [])
    plain = [uri for uri in uris if uri.startswith("http://") and not _is_loopback(uri)]
    if plain:
        return Finding("error", "redirect URIs", f"{plain[0]} does not use TLS, so codes can be intercepted.")
    if "authorization_code" not in client.get("grant_types", []):
        return Finding("ok", "redirect URIs", "none needed: the client signs nobody in")
    return Finding("ok", "redirect URIs", f"{len(uris)} registered; a request's must match one exactly")


def _check_scope(client: dict[str, Any]) -> Finding:
    if not client.get("scope"):
        fix = f"clientdesk update client {client['client_id']} --scope …"
        return Finding("error", "scope", f"It may request no scope. Add one with: {fix}")
    return Finding("ok", "scope", str(client["scope"]))


def _check_authentication(client: dict[str, Any]) -> Finding:
    method = str(client.get("token_endpoint_auth_method"))
    if method.startswith("client_secret"):
        advice = "private_key_jwt and workload identity federation need no secret that could leak."
        return Finding("warning", "authentication", f"{method}. {advice}")
    return Finding("ok", "authentication", method)


def _parse_time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) and text else None


def _is_loopback(uri: str) -> bool:
    return urlsplit(uri).hostname in ("localhost", "127.0.0.1", "::1")


_CLIENT_CHECKS: list[Callable[[dict[str, Any]], Finding]] = [
    _check_state,
    _check_grant_types,
    _check_redirect_uris,
    _check_scope,
    _check_authentication,
]


def add_to(app: typer.Typer) -> None:
    app.command("doctor")(command(doctor))
