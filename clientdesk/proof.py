"""How a client proves itself to the authority (RFC 6749 section 2.3), in exactly the way that it registered."""

import base64
import os
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote_plus

import typer

from clientdesk.problems import USAGE, Problem
from clientdesk.reading import read_line
from clientdesk.remote import Remote

SECRETS = ("CLIENTDESK_CLIENT_SECRET", "OAUTH2_CLIENT_SECRET")
ASSERTION = "CLIENTDESK_CLIENT_ASSERTION"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}  # of an empty form, too
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Method(StrEnum):
    """The ways to prove oneself that need no more than a terminal, by their registered names."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    JWT = "private_key_jwt"
    NONE = "none"


AuthMethod = Annotated[
    Method | None,
    typer.Option(
        "--auth-method",
        metavar="METHOD",
        help=f"How the client proves itself, as it registered: client_secret_basic, client_secret_post, none, or "
        f"private_key_jwt by {ASSERTION}. Left out, what is there decides, and a secret goes by client_secret_basic.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Proof:
    """What goes along with a request of the client: parameters of the body, or a header."""

    method: Method
    parameters: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    def ask(self, server: Remote, address: str, form: dict[str, Any]) -> Any:
        """Send a form as the client; a refused client is told which way was tried."""
        try:
            return server.json("POST", address, data=form | self.parameters, headers=FORM | self.headers)
        except Problem as problem:
            if problem.code != "invalid_client":
                raise
            tried = f"{problem} This was tried by {self.method}; --auth-method names another way."
            raise Problem(tried, problem.status, problem.code) from None


def public(client_id: str) -> Proof:
    return Proof(Method.NONE, {"client_id": client_id})


def proof(client_id: str, method: Method | None) -> Proof:
    """Return the proof by the method that was named, or by the one that suits what there is."""
    if method is None and os.environ.get(ASSERTION):
        method = Method.JWT
    if method == Method.JWT:
        return signed(client_id)
    known = None if method == Method.NONE else secret()
    if not known and method in (Method.BASIC, Method.POST):
        raise Problem(f"{method} needs the client's secret: set {SECRETS[0]}, or give it on standard input.", USAGE)
    if not known:
        return public(client_id)
    if method == Method.POST:
        return Proof(method, {"client_id": client_id, "client_secret": known})
    # Both parts are form-encoded before they are joined (RFC 6749 section 2.3.1).
    pair = f"{quote_plus(client_id)}:{quote_plus(known)}".encode()
    return Proof(Method.BASIC, {}, {"Authorization": f"Basic {base64.b64encode(pair).decode()}"})


def signed(client_id: str) -> Proof:
    assertion = os.environ.get(ASSERTION)
    if not assertion:
        raise Problem(f"private_key_jwt needs the assertion that the client signed, in {ASSERTION}.", USAGE)
    named = {"client_id": client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    return Proof(Method.JWT, named)


def secret() -> str | None:
    """Return the client's secret from the environment or the terminal: a command line is seen by every process."""
    for name in SECRETS:
        if value := os.environ.get(name):
            return value
    if not sys.stdin.isatty():
        return read_line() or None
    return str(typer.prompt("Client secret (empty for a public client)", hide_input=True, default="", err=True)) or None
