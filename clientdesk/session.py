"""What one run of a command works with: the server, the token, and how to print.

`command` gives every command the options of `open_session`.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, wraps
from inspect import Parameter, signature
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import typer

from clientdesk import credential_store, device_flow
from clientdesk.api_client import ApiClient
from clientdesk.errors import USAGE, CommandError
from clientdesk.flags import completion
from clientdesk.output import FORMATS, Printer


@dataclass(frozen=True)
class Session:
    endpoint: str
    headers: dict[str, str]
    verify: bool
    printer: Printer
    _connections: ExitStack = field(default_factory=ExitStack, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connections.close()

    @cached_property
    def api(self) -> ApiClient:
        """Return the API, called with the token of the environment, or of the person who signed in."""
        token = None if self._has_authorization_header else _bearer_token(self)
        return self._connections.enter_context(ApiClient(self.endpoint, token, self.headers, verify=self.verify))

    @property
    def _has_authorization_header(self) -> bool:
        return any(name.lower() == "authorization" for name in self.headers)

    def anonymous_api(self) -> ApiClient:
        """Return the API, called without a token."""
        return self._connections.enter_context(ApiClient(self.endpoint, verify=self.verify))


def _bearer_token(session: Session) -> str | None:
    """Return the bearer token; a signed-in person's is refreshed when it has expired."""
    given = os.environ.get("CLIENTDESK_TOKEN") or os.environ.get("ORY_API_KEY") or ""
    if given.strip():
        return given.strip()
    tokens = credential_store.load_tokens(session.endpoint)
    if _needs_refresh(tokens):
        with credential_store.locked():  # a refresh token works once, and reuse would revoke the whole sign-in
            tokens = credential_store.load_tokens(session.endpoint)
            if _needs_refresh(tokens):
                with credential_store.room_for_tokens():  # the former refresh token is of no use afterwards
                    tokens = device_flow.refresh(session.anonymous_api(), tokens)
                credential_store.save_tokens(session.endpoint, tokens, in_keyring=bool(tokens.get("in_keyring")))
    return tokens.get("access_token")


def _needs_refresh(tokens: dict[str, Any]) -> bool:
    return bool(tokens.get("refresh_token")) and tokens.get("expires_at", 0) < time.time() + 30


_NO_ENDPOINT = (
    "Which server? Set CLIENTDESK_URL, or sign in once with `clientdesk login --endpoint https://portal.example.com`."
)


def _endpoint(given: str | None) -> str:
    found = (
        given
        or os.environ.get("CLIENTDESK_URL")
        or os.environ.get("ORY_SDK_URL")
        or credential_store.load().get("endpoint")
    )
    if not found:
        raise CommandError(_NO_ENDPOINT, USAGE)
    try:
        parts = urlsplit(str(found))
        is_url = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise CommandError(f"“{found}” is not a URL. Give one such as https://portal.example.com.", USAGE)
    return str(found).rstrip("/")


def _parse_headers(given: list[str]) -> dict[str, str]:
    headers = {}
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise CommandError("Write a header as “Name: value”.", USAGE)
        headers[name.strip()] = value.strip()
    return headers


# -- Arguments that many commands take --------------------------------------------------------------------------------

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="Its client ID.", show_default=False)]
ClientIds = Annotated[list[str], typer.Argument(metavar="CLIENT_ID...", help="Client IDs.", show_default=False)]
Consumer = Annotated[
    str, typer.Argument(metavar="CONSUMER", help="Short name or ID of the consumer.", show_default=False)
]
ExpiresAt = Annotated[
    str | None,
    typer.Option(
        "--expires-at", metavar="TIME", help="When it expires, such as 2027-01-31T12:00:00Z.", show_default=False
    ),
]


# -- The options that every command takes -----------------------------------------------------------------------------


def _global_option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="In every command", **more)


_FORMAT_NAMES = ["table", "json", "json-pretty", "jsonpath=", "jsonpointer=", "yaml"]


def open_session(
    *,
    endpoint: Annotated[
        str | None,
        _global_option(
            "--endpoint", "-e", metavar="URL", help="The portal's URL; by default CLIENTDESK_URL or ORY_SDK_URL."
        ),
    ] = None,
    http_header: Annotated[
        list[str] | None,
        _global_option("--http-header", "-H", metavar="TEXT", help="A header to send, as “Name: value”. Repeatable."),
    ] = None,
    skip_tls_verify: Annotated[
        bool, _global_option("--skip-tls-verify", help="Accept any certificate. Never in production.")
    ] = False,
    format_: Annotated[
        str,
        _global_option(
            "--format", metavar="FORMAT", help=f"How to print: {FORMATS}.", autocompletion=completion(_FORMAT_NAMES)
        ),
    ] = "table",
    quiet: Annotated[
        bool, _global_option("--quiet", "-q", help="Print identifiers alone, and what is shown only once.")
    ] = False,
) -> Session:
    """Return the session of the global options. Raises CommandError."""
    return Session(
        endpoint=_endpoint(endpoint),
        headers=_parse_headers(http_header or []),
        verify=not skip_tls_verify,
        printer=Printer(format_, quiet=quiet),
    )


_GLOBAL_OPTIONS = list(signature(open_session, eval_str=True).parameters.values())


def command(function: Callable[..., None], flags: Sequence[Parameter] = ()) -> Callable[..., None]:
    """Return a Typer command for a function that takes a session.

    Its options are those of the function, `flags`, and those of `open_session`. The function gets the values of
    `flags` as one dictionary, `flags`. Typer reads options from the signature, so the command declares all of them.
    """

    @wraps(function)
    def run(**values: Any) -> None:
        given = {option.name: values.pop(option.name) for option in _GLOBAL_OPTIONS}
        if flags:
            values["flags"] = {flag.name: values.pop(flag.name) for flag in flags}
        with open_session(**given) as session:
            function(session, **values)

    own = signature(function, eval_str=True)
    taken = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in own.parameters.values()]
    parameters = [*(each for each in taken if each.name not in ("session", "flags")), *flags, *_GLOBAL_OPTIONS]
    run.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run
