"""Get tokens as a client does, by the grants of RFC 6749 and RFC 8628."""

import base64
import hashlib
import secrets
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import typer

from clientdesk import device_flow
from clientdesk.api_client import ApiClient
from clientdesk.client_authentication import AuthMethodOption, ClientAuthentication, authentication_of
from clientdesk.errors import USAGE, CommandError
from clientdesk.output import stderr
from clientdesk.sanitize import sanitize
from clientdesk.session import Session, command
from clientdesk.verbs import Verbs

TOKEN_COLUMNS = [
    "access_token",
    "token_type",
    "expires_in",
    "expires_at",
    "scope",
    "audience",
    "id_token",
    "refresh_token",
    "issued_token_type",
    "jti",
]
ClientIdOption = Annotated[
    str,
    typer.Option(
        "--client-id",
        metavar="TEXT",
        envvar=["CLIENTDESK_CLIENT_ID", "OAUTH2_CLIENT_ID"],
        help="The client to act as.",
    ),
]
Scope = Annotated[list[str] | None, typer.Option("--scope", metavar="TEXT", help="Scope. Repeatable.")]
Audience = Annotated[
    list[str] | None,
    typer.Option("--audience", "--resource", metavar="TEXT", help="API to request a token for (RFC 8707). Repeatable."),
]
_SECRET_IN_ARGV = (
    "Every process can read a command line. Leave --client-secret out, and set CLIENTDESK_CLIENT_SECRET or type it."
)


def _refuse_secret(given: str | None) -> None:
    if given:
        raise CommandError(_SECRET_IN_ARGV, USAGE)


# Ory's program takes the secret so; it is refused with the reason.
ClientSecretOption = Annotated[str | None, typer.Option("--client-secret", hidden=True, callback=_refuse_secret)]


def client_credentials(
    session: Session,
    *,
    client_id: ClientIdOption,
    scope: Scope = None,
    audience: Audience = None,
    token_endpoint_auth_method: AuthMethodOption = None,
    client_secret: ClientSecretOption = None,
) -> None:
    """Get a token for the client itself.

    The secret comes from CLIENTDESK_CLIENT_SECRET or standard input, an assertion from CLIENTDESK_CLIENT_ASSERTION.
    """
    form = {"grant_type": "client_credentials"} | _requested(scope, audience)
    client = authentication_of(client_id, token_endpoint_auth_method)
    _show(session, _request_tokens(session.anonymous_api(), client, form))


def device_code(
    session: Session,
    *,
    client_id: ClientIdOption,
    scope: Scope = None,
    token_endpoint_auth_method: AuthMethodOption = None,
    client_secret: ClientSecretOption = None,
) -> None:
    """Get a token for a person who confirms a code in a browser on any device."""
    api, client = session.anonymous_api(), authentication_of(client_id, token_endpoint_auth_method)
    codes = device_flow.request_codes(api, " ".join(scope or []), client)
    stderr.print(f"Open {sanitize(str(codes['verification_uri']))} and enter {sanitize(str(codes['user_code']))}.")
    with stderr.status("Waiting for confirmation …"):
        tokens = device_flow.poll_for_tokens(api, codes, client)
    tokens.pop("expires_at")
    _show(session, tokens)


def authorization_code(
    session: Session,
    *,
    client_id: ClientIdOption,
    scope: Scope = None,
    audience: Audience = None,
    port: Annotated[
        int,
        typer.Option(
            metavar="NUMBER", min=1, max=65535, help="Of the loopback redirect URI http://127.0.0.1:PORT/callback."
        ),
    ] = 4446,
    token_endpoint_auth_method: AuthMethodOption = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the URL, and open no browser.")] = False,
    client_secret: ClientSecretOption = None,
) -> None:
    """Get a token for a person who signs in with the browser of this computer, with PKCE."""
    api = session.anonymous_api()
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    redirect_uri = f"http://127.0.0.1:{port}/callback"
    request = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | _requested(scope, audience)
    url = f"{api.discovery()['authorization_endpoint']}?{urlencode(request, doseq=True)}"
    with _redirect_listener(port) as responses:
        stderr.print(f"Open {url}", highlight=False, soft_wrap=True)
        if not no_browser:
            webbrowser.open(url)
        response = next(responses)
    issuer = api.discovery()["issuer"]
    if response.get("state") != state or response.get("iss", issuer) != issuer:  # RFC 6749 s. 10.12, RFC 9207
        raise CommandError("The authorization response is not for this request. Try again.")
    if "error" in response:
        description = response.get("error_description", "The request was refused.")
        raise CommandError(f"{description} ({response['error']})")
    form = {
        "grant_type": "authorization_code",
        "code": response["code"],
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    _show(session, _request_tokens(api, authentication_of(client_id, token_endpoint_auth_method), form))


@contextmanager
def _redirect_listener(port: int) -> Iterator[Iterator[dict[str, str]]]:
    """Serve the redirect URI on the loopback interface; yield authorization responses (RFC 8252 section 7.3)."""
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/callback":
                received.append({name: values[0] for name, values in parse_qs(parts.query).items()})
            self.send_response(200 if parts.path == "/callback" else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"You can close this window and return to the terminal.\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing: the URL holds the code."""

    try:
        server = HTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise CommandError(f"Port {port} can't be used: {error}. Give another with --port.", USAGE) from None

    def responses() -> Iterator[dict[str, str]]:
        while not received:
            server.handle_request()
        yield received.pop()

    with server:
        yield responses()


def _requested(scope: list[str] | None, audience: list[str] | None) -> dict[str, Any]:
    return ({"scope": " ".join(scope)} if scope else {}) | ({"resource": audience} if audience else {})


def _request_tokens(api: ApiClient, client: ClientAuthentication, form: dict[str, Any]) -> dict[str, Any]:
    tokens: dict[str, Any] = client.post(api, str(api.discovery()["token_endpoint"]), form)
    return tokens


def _show(session: Session, tokens: dict[str, Any]) -> None:
    session.printer.show(tokens, TOKEN_COLUMNS, identifier="access_token")


def add_to(verbs: Verbs) -> None:
    verbs.add_grant("client-credentials", command(client_credentials))
    verbs.add_grant("authorization-code", command(authorization_code))
    verbs.add_grant("device-code", command(device_code))
