"""`token`, `introspect` and `revoke`: what a client does with the authority, from a terminal."""

import base64
import hashlib
import secrets
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import typer

from clientdesk import device
from clientdesk.output import errors
from clientdesk.printable import printable
from clientdesk.problems import FAILED, USAGE, Problem
from clientdesk.proof import AuthMethod, Proof, proof
from clientdesk.reading import read_line
from clientdesk.remote import Remote
from clientdesk.session import Session, command

COLUMNS = [
    *("access_token", "token_type", "expires_in", "expires_at", "scope", "audience", "id_token", "refresh_token"),
    *("issued_token_type", "jti"),
]
ClientId = Annotated[
    str,
    typer.Option(
        "--client-id",
        metavar="TEXT",
        envvar=["CLIENTDESK_CLIENT_ID", "OAUTH2_CLIENT_ID"],
        help="Which client it is.",
    ),
]
Scope = Annotated[list[str] | None, typer.Option("--scope", metavar="TEXT", help="Permission. Repeatable.")]
Audience = Annotated[
    list[str] | None,
    typer.Option("--audience", "--resource", metavar="TEXT", help="Which API it is for (RFC 8707). Repeatable."),
]
NEVER_HERE = (
    "A command line is seen by every process. Leave it out: CLIENTDESK_CLIENT_SECRET holds it, or it is asked for."
)


def never(given: str | None) -> None:
    """Refuse the secret, in words: Ory's program takes it so."""
    if given:
        raise Problem(NEVER_HERE, USAGE)


OnTheLine = Annotated[str | None, typer.Option("--client-secret", hidden=True, callback=never)]


def client_credentials(
    session: Session,
    *,
    client_id: ClientId,
    scope: Scope = None,
    audience: Audience = None,
    auth_method: AuthMethod = None,
    client_secret: OnTheLine = None,
) -> None:
    """Get a token for the client itself, by CLIENTDESK_CLIENT_SECRET, CLIENTDESK_CLIENT_ASSERTION or a typed secret."""
    form = {"grant_type": "client_credentials"} | asked(scope, audience)
    show(session, exchange(session.stranger(), proof(client_id, auth_method), form))


def device_code(
    session: Session,
    *,
    client_id: ClientId,
    scope: Scope = None,
    auth_method: AuthMethod = None,
    client_secret: OnTheLine = None,
) -> None:
    """Get a token for a person who confirms a code in a browser anywhere."""
    stranger, client = session.stranger(), proof(client_id, auth_method)
    codes = device.authorize(stranger, " ".join(scope or []), client)
    errors.print(f"Open {printable(str(codes['verification_uri']))} and enter {printable(str(codes['user_code']))}.")
    with errors.status("Waiting for the person …"):
        tokens = device.wait(stranger, codes, client)
    tokens.pop("expires_at")
    show(session, tokens)


def authorization_code(
    session: Session,
    *,
    client_id: ClientId,
    scope: Scope = None,
    audience: Audience = None,
    port: Annotated[
        int,
        typer.Option(
            metavar="NUMBER", min=1, max=65535, help="Of the loopback redirect URI http://127.0.0.1:PORT/callback."
        ),
    ] = 4446,
    auth_method: AuthMethod = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, open nothing.")] = False,
    client_secret: OnTheLine = None,
) -> None:
    """Get a token for a person who signs in with the browser of this computer, with PKCE."""
    stranger = session.stranger()
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = f"http://127.0.0.1:{port}/callback"
    request = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": back,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | asked(scope, audience)
    address = f"{stranger.discovery()['authorization_endpoint']}?{urlencode(request, doseq=True)}"
    with listening(port) as answers:
        errors.print(f"Open {address}", highlight=False, soft_wrap=True)
        if not no_browser:
            webbrowser.open(address)
        answer = next(answers)
    if (
        answer.get("state") != state
        or answer.get("iss", stranger.discovery()["issuer"]) != stranger.discovery()["issuer"]
    ):
        raise Problem("The answer is not for this request. Try again.")
    if "error" in answer:
        raise Problem(f"{answer.get('error_description', 'The request was refused.')} ({answer['error']})")
    form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": back, "code_verifier": verifier}
    show(session, exchange(stranger, proof(client_id, auth_method), form))


@contextmanager
def listening(port: int) -> Iterator[Iterator[dict[str, str]]]:
    """Serve the redirect URI on the loopback interface; yield what browsers bring back (RFC 8252 section 7.3)."""
    heard: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/callback":
                heard.append({name: values[0] for name, values in parse_qs(parts.query).items()})
            self.send_response(200 if parts.path == "/callback" else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"You can close this window and return to the terminal.\n")

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing: the address holds the code."""

    try:
        server = HTTPServer(("127.0.0.1", port), Handler)
    except OSError as error:
        raise Problem(f"Port {port} can't be used: {error}. Give another with --port.", USAGE) from None

    def answers() -> Iterator[dict[str, str]]:
        while not heard:
            server.handle_request()
        yield heard.pop()

    with server:
        yield answers()


def asked(scope: list[str] | None, audience: list[str] | None) -> dict[str, Any]:
    return ({"scope": " ".join(scope)} if scope else {}) | ({"resource": audience} if audience else {})


def exchange(stranger: Remote, client: Proof, form: dict[str, Any]) -> dict[str, Any]:
    """Send a grant to the token endpoint."""
    tokens: dict[str, Any] = client.ask(stranger, str(stranger.discovery()["token_endpoint"]), form)
    return tokens


def show(session: Session, tokens: dict[str, Any]) -> None:
    session.printer.show(tokens, COLUMNS, identifier="access_token")


def identity_token(
    session: Session,
    *,
    client_id: ClientId,
    audience: Annotated[
        str | None, typer.Option("--audience", metavar="TEXT", help="Whom it is for; the client's own by default.")
    ] = None,
    auth_method: AuthMethod = None,
    client_secret: OnTheLine = None,
) -> None:
    """Get an identity token of a workload, by CLIENTDESK_CLIENT_SECRET, CLIENTDESK_CLIENT_ASSERTION or a typed secret.

    With --quiet the token alone is printed, for a file or a variable.
    """
    stranger = session.stranger()
    issuer = str(stranger.discovery().get("workload_issuer", ""))
    if not issuer:
        raise Problem("This server issues no identity tokens.")
    form = {"audience": audience} if audience else {}
    answer = proof(client_id, auth_method).ask(stranger, f"{issuer}/token", form)
    session.printer.show(answer, COLUMNS, identifier="id_token")


Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="-", help="Nothing, or “-”: the token is read from standard input.", show_default=False),
]


Needed = Annotated[
    list[str] | None, typer.Option("--scope", metavar="TEXT", help="Permission that it must have. Repeatable.")
]


def introspect(session: Session, words: Words = None, scope: Needed = None) -> None:
    """Say what a token is, and whether it is valid (RFC 7662). The token is read from standard input."""
    form = {"token": read_token(words)} | ({"scope": " ".join(scope)} if scope else {})
    found = session.remote.json("POST", "/admin/oauth2/introspect", data=form)
    session.printer.show(found, list(found), identifier="active")
    if not found.get("active"):
        raise Problem("The token is not active.", FAILED)


def revoke(
    session: Session,
    *,
    client_id: ClientId,
    words: Words = None,
    auth_method: AuthMethod = None,
    client_secret: OnTheLine = None,
) -> None:
    """End a token, and what was issued with it (RFC 7009). The token is read from standard input."""
    form = {"token": read_token(words)}
    stranger, client = session.stranger(), proof(client_id, auth_method)
    client.ask(stranger, str(stranger.discovery()["revocation_endpoint"]), form)
    session.printer.say("Revoked.")


def read_token(words: list[str] | None) -> str:
    """Return the token of standard input. `introspect token -` is said by those who come from Ory's program."""
    if [word for word in words or [] if word not in ("token", "-")]:
        raise Problem("A command line is seen by every process. Give the token on standard input instead.", USAGE)
    text = str(typer.prompt("Token", hide_input=True, err=True)) if sys.stdin.isatty() else read_line()
    if not text.strip():
        raise Problem("Give the token on standard input.", USAGE)
    return text.strip()


def add_to(app: typer.Typer) -> None:
    ways: dict[str, Callable[..., None]] = {
        "client-credentials": client_credentials,
        "authorization-code": authorization_code,
        "device-code": device_code,
    }
    group = typer.Typer(no_args_is_help=True, help="Get a token, as a client does.")
    for name, function in ways.items():
        group.command(name)(command(function))
    app.add_typer(group, name="token")
    app.add_typer(group, name="perform", hidden=True)  # as Ory's program calls it
    app.command("identity-token")(command(identity_token))
    app.command("introspect")(command(introspect))
    app.command("revoke")(command(revoke))
