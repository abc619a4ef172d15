"""Authenticate as a client (RFC 6749 section 2.3), by the method that it registered."""

import base64
import os
import sys
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote_plus

import typer

from clientdesk.api_client import ApiClient
from clientdesk.errors import USAGE, CommandError
from clientdesk.flags import VALUES, completion
from clientdesk.input import read_line

_SECRET_VARIABLES = ("CLIENTDESK_CLIENT_SECRET", "OAUTH2_CLIENT_SECRET")
_ASSERTION_VARIABLE = "CLIENTDESK_CLIENT_ASSERTION"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}  # of an empty form, too
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class AuthMethod(StrEnum):
    """Token endpoint authentication methods, by their registered names (RFC 7591 section 2)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    PRIVATE_KEY_JWT = "private_key_jwt"
    FEDERATED = _ASSERTION_TYPE
    NONE = "none"


_FLAG = "--token-endpoint-auth-method"
AuthMethodOption = Annotated[
    AuthMethod | None,
    typer.Option(
        _FLAG,
        metavar="METHOD",
        help="How the client authenticates, as it registered. By default private_key_jwt where "
        f"{_ASSERTION_VARIABLE} is set, client_secret_basic with a secret, and none without.",
        show_default=False,
        autocompletion=completion(VALUES["token-endpoint-auth-method"]),
    ),
]


@dataclass(frozen=True)
class ClientAuthentication:
    """What a request of a client carries to authenticate it: parameters of the body, or a header."""

    method: AuthMethod
    parameters: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)

    def post(self, api: ApiClient, url: str, form: dict[str, Any]) -> Any:
        """Send a form as the client; the error for a client that is refused names the method that was tried."""
        try:
            return api.json("POST", url, data=form | self.parameters, headers=_FORM | self.headers)
        except CommandError as error:
            if error.code != "invalid_client":
                raise
            message = f"{error} The method was {self.method}; choose another with {_FLAG}."
            raise CommandError(message, error.status, error.code) from None


def public_client(client_id: str) -> ClientAuthentication:
    return ClientAuthentication(AuthMethod.NONE, {"client_id": client_id})


def authentication_of(client_id: str, method: AuthMethod | None) -> ClientAuthentication:
    """Return the authentication by the method that was named, or by the one that suits the environment."""
    if method is None and os.environ.get(_ASSERTION_VARIABLE):
        method = AuthMethod.PRIVATE_KEY_JWT
    if method in (AuthMethod.PRIVATE_KEY_JWT, AuthMethod.FEDERATED):
        return _by_assertion(client_id, method)
    secret = None if method == AuthMethod.NONE else _read_secret()
    if not secret and method in (AuthMethod.BASIC, AuthMethod.POST):
        message = f"{method} needs the client's secret: set {_SECRET_VARIABLES[0]}, or give it on standard input."
        raise CommandError(message, USAGE)
    if not secret:
        return public_client(client_id)
    if method == AuthMethod.POST:
        return ClientAuthentication(method, {"client_id": client_id, "client_secret": secret})
    # Both parts are form-encoded before they are joined (RFC 6749 section 2.3.1).
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return ClientAuthentication(AuthMethod.BASIC, {}, {"Authorization": f"Basic {base64.b64encode(pair).decode()}"})


def _by_assertion(client_id: str, method: AuthMethod) -> ClientAuthentication:
    """Return the authentication by a client assertion (RFC 7523 section 2.2)."""
    assertion = os.environ.get(_ASSERTION_VARIABLE)
    if not assertion:
        raise CommandError(f"{method} needs a client assertion: set {_ASSERTION_VARIABLE}.", USAGE)
    parameters = {
        "client_id": client_id,
        "client_assertion_type": _ASSERTION_TYPE,
        "client_assertion": assertion,
    }
    return ClientAuthentication(method, parameters)


def _read_secret() -> str | None:
    """Return the client's secret from the environment or the terminal: every process can read a command line."""
    for name in _SECRET_VARIABLES:
        if value := os.environ.get(name):
            return value
    if not sys.stdin.isatty():
        return read_line() or None
    return str(typer.prompt("Client secret (empty for a public client)", hide_input=True, default="", err=True)) or None
