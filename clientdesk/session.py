"""One run of a command: which server, whose token, and how to print. Every command takes the same global options."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, Signature, signature
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from clientdesk import credential_store, device
from clientdesk.flags import completion
from clientdesk.output import FORMATS, Printer
from clientdesk.problems import USAGE, Problem
from clientdesk.remote import Remote


@dataclass(frozen=True)
class Session:
    endpoint: str
    headers: dict[str, str]
    verify: bool
    printer: Printer

    @cached_property
    def remote(self) -> Remote:
        """Return the server, called with the token of the environment, or of the person who signed in."""
        return Remote(self.endpoint, None if self.signs_itself else token(self), self.headers, verify=self.verify)

    @property
    def signs_itself(self) -> bool:
        return any(name.lower() == "authorization" for name in self.headers)

    def stranger(self) -> Remote:
        """Return the server, called without a token."""
        return Remote(self.endpoint, verify=self.verify)


def token(session: Session) -> str | None:
    """Return the bearer token; a signed-in person's is refreshed when it has ended."""
    given = os.environ.get("CLIENTDESK_TOKEN") or os.environ.get("ORY_API_KEY") or ""
    if given.strip():
        return given.strip()
    known = credential_store.recall(session.endpoint)
    if is_stale(known):
        with credential_store.alone():  # a refresh token works once, and a second use of it would end the sign-in
            known = credential_store.recall(session.endpoint)
            if is_stale(known):
                known = device.refresh(session.stranger(), known)
                credential_store.remember(session.endpoint, known, in_keyring=bool(known.get("in_keyring")))
    return known.get("access_token")


def is_stale(known: dict[str, Any]) -> bool:
    return bool(known.get("refresh_token")) and known.get("expires_at", 0) < time.time() + 30


WHICH_SERVER = (
    "Which server? Set CLIENTDESK_URL, or sign in once with `clientdesk login --endpoint https://portal.example.com`."
)


def endpoint_or_stop(given: str | None) -> str:
    found = (
        given
        or os.environ.get("CLIENTDESK_URL")
        or os.environ.get("ORY_SDK_URL")
        or credential_store.settings().get("endpoint")
    )
    if not found:
        raise Problem(WHICH_SERVER, USAGE)
    try:
        parts = urlsplit(str(found))
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise Problem(f"“{found}” is not an address. Give one such as https://portal.example.com.", USAGE)
    return str(found).rstrip("/")


def read_headers(given: list[str]) -> dict[str, str]:
    headers = {}
    for text in given:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise Problem("Write a header as “Name: value”.", USAGE)
        headers[name.strip()] = value.strip()
    return headers


# -- Arguments that many commands take --------------------------------------------------------------------------------

ClientId = Annotated[str, typer.Argument(metavar="CLIENT_ID", help="Its client ID.", show_default=False)]
ClientIds = Annotated[list[str], typer.Argument(metavar="CLIENT_ID...", help="Client IDs.", show_default=False)]
Consumer = Annotated[
    str, typer.Argument(metavar="CONSUMER", help="Short name or ID of the consumer.", show_default=False)
]


# -- The options that every command takes -----------------------------------------------------------------------------


def everywhere(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="In every command", **more)


SHAPES = ["table", "json", "json-pretty", "jsonpath=", "jsonpointer=", "yaml"]
Endpoint = Annotated[
    str | None,
    everywhere("--endpoint", "-e", metavar="URL", help="The portal's address. [env: CLIENTDESK_URL, ORY_SDK_URL]"),
]
Header = Annotated[
    list[str] | None,
    everywhere("--http-header", "-H", metavar="TEXT", help="A header to send along, as “Name: value”. Repeatable."),
]
SkipTls = Annotated[bool, everywhere("--skip-tls-verify", help="Accept any certificate. Never in production.")]
Format = Annotated[
    str, everywhere("--format", metavar="FORMAT", help=f"How to print: {FORMATS}.", autocompletion=completion(SHAPES))
]
Quiet = Annotated[bool, everywhere("--quiet", "-q", help="Print identifiers alone.")]
GLOBAL = {
    "endpoint": (Endpoint, None),
    "http_header": (Header, None),
    "skip_tls_verify": (SkipTls, False),
    "shape": (Format, "table"),
    "quiet": (Quiet, False),
}


def command(function: Callable[..., Any], extra: dict[str, tuple[Any, Any]] | None = None) -> Callable[..., Any]:
    """Make a Typer command of a function whose first parameter is the session.

    `extra` are options that the function takes as one dictionary, `given`: name to (annotation, default).
    """
    extra = extra or {}
    own = [
        each for name, each in signature(function, eval_str=True).parameters.items() if name not in ("session", "given")
    ]
    added = [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
        for name, (annotation, default) in {**extra, **GLOBAL}.items()
    ]

    def run(**values: Any) -> None:
        options = {name: values.pop(name) for name in GLOBAL}
        session = Session(
            endpoint=endpoint_or_stop(options["endpoint"]),
            headers=read_headers(options["http_header"] or []),
            verify=not options["skip_tls_verify"],
            printer=Printer(options["shape"], quiet=options["quiet"]),
        )
        if extra:
            values["given"] = {name: values.pop(name) for name in extra}
        function(session, **values)

    keyword_only = [each.replace(kind=Parameter.KEYWORD_ONLY) for each in own]
    run.__doc__, run.__name__ = function.__doc__, function.__name__
    run.__signature__ = Signature([*keyword_only, *added])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in [*keyword_only, *added]}
    return run
