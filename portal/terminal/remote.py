"""The server, as far as a program sees it: JSON over HTTP, errors as `{"error", "error_description"}`."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from portal.terminal.problems import BY_STATUS, FAILED, NOT_ALLOWED, UNREACHABLE, USAGE, Problem

NOT_SIGNED_IN = "You are not signed in. Sign in with `clientdesk login`, or set CLIENTDESK_TOKEN."
PATIENCE = 3  # times that a request is tried again when the server asks for it
LONGEST_WAIT = 30  # seconds


@dataclass(frozen=True)
class Page:
    """A page of a list, and the token of the next one if there is one."""

    rows: list[Any]
    next_token: str


class Remote:
    """One server and one bearer token; `request` raises Problem for whatever is not a success."""

    def __init__(
        self,
        endpoint: str,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        *,
        verify: bool = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.endpoint = endpoint.rstrip("/")
        sent = {"User-Agent": f"clientdesk/{version('clientdesk')}", "Accept": "application/json"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        sent |= headers or {}
        for name, value in sent.items():  # here, because what complains later repeats the value
            if not (value.isascii() and value.isprintable() and name.isascii() and name.isprintable()):
                raise Problem(f"The header {name!a} holds a character that no header has. Copy it again.", USAGE)
        self.is_stranger = "authorization" not in map(str.lower, sent)
        self.http = httpx.Client(base_url=self.endpoint, headers=sent, verify=verify, timeout=30, transport=transport)

    def __repr__(self) -> str:
        return f"<Remote {self.endpoint}>"

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return a successful answer; wait and try again while the server is busy (429 and 503 with Retry-After)."""
        for attempt in range(PATIENCE + 1):
            try:
                answer = self.http.request(method, path, **options)
            except httpx.InvalidURL:
                raise Problem("That is too long or too odd to be sent in an address.", USAGE) from None
            except httpx.RequestError as error:
                raise Problem(
                    f"{self.endpoint} does not answer: {error or type(error).__name__}.", UNREACHABLE
                ) from None
            wait = answer.headers.get("Retry-After", "")
            if answer.status_code not in (429, 503) or not wait.isdigit() or attempt == PATIENCE:
                break
            time.sleep(min(int(wait), LONGEST_WAIT))
        if answer.is_success:
            return answer
        if self.is_stranger and answer.status_code == 401 and path.startswith("/admin/"):
            raise Problem(NOT_SIGNED_IN, NOT_ALLOWED, "invalid_token")
        raise problem(answer)

    def json(self, method: str, path: str, **options: Any) -> Any:
        answer = self.request(method, path, **options)
        return self.read(answer) if answer.content else None

    def read(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise Problem(f"{self.endpoint} does not answer as Clientdesk does. Is the address right?") from None

    @contextmanager
    def stream(self, path: str, query: dict[str, Any]) -> Iterator[Iterator[str]]:
        """Give the text of a long answer piece by piece."""
        try:
            with self.http.stream("GET", path, params=query) as answer:
                if not answer.is_success:
                    answer.read()
                    raise problem(answer)
                yield answer.iter_text()
        except httpx.RequestError as error:
            raise Problem(f"{self.endpoint} does not answer: {error or type(error).__name__}.", UNREACHABLE) from None

    def pages(self, path: str, **query: Any) -> Iterator[Page]:
        """Yield page after page of a list, led by the `next` links (RFC 8288)."""
        parameters: dict[str, Any] | None = {name: value for name, value in query.items() if value not in (None, "")}
        while True:
            answer = self.request("GET", path, params=parameters)
            found = re.search(r'<([^>]*)>;\s*rel="next"', answer.headers.get("Link", ""))
            yield Page(
                self.read(answer), parse_qs(urlsplit(found[1]).query).get("page_token", [""])[0] if found else ""
            )
            if found is None:
                return
            path, parameters = found[1], None  # an empty dict would take the query away

    def everything(self, path: str, **query: Any) -> list[Any]:
        return [item for page in self.pages(path, **query) for item in page.rows]

    def discovery(self) -> dict[str, Any]:
        """Return the authority's metadata (RFC 8414)."""
        document: dict[str, Any] = self.json("GET", "/.well-known/oauth-authorization-server")
        return document


def problem(answer: httpx.Response) -> Problem:
    """Return the server's refusal as a sentence."""
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    code = str(body.get("error") or answer.reason_phrase)
    sentence = str(body.get("error_description") or f"The server answered {answer.status_code}.")
    if answer.status_code == 401 and code in ("invalid_token", "Unauthorized", "unauthorized"):
        sentence += " Sign in with `clientdesk login`, or set CLIENTDESK_TOKEN."
        return Problem(sentence, NOT_ALLOWED, code)
    return Problem(f"{sentence} ({code})", BY_STATUS.get(answer.status_code, FAILED), code)  # type: ignore[call-overload]


def part(text: str) -> str:
    """Return a path segment; an ID that is a URL stays one segment."""
    return quote(text, safe="")
