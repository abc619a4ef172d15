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

from clientdesk.problems import BY_STATUS, FAILED, NOT_ALLOWED, UNREACHABLE, USAGE, Problem

NOT_SIGNED_IN = "You are not signed in. Sign in with `clientdesk login`, or set CLIENTDESK_TOKEN."
# Of the authority's metadata, what commands take for granted.
ENDPOINTS = {"issuer", "authorization_endpoint", "token_endpoint", "revocation_endpoint"}
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
                raise self.unreachable(error) from None
            wait = answer.headers.get("Retry-After", "")
            if answer.status_code not in (429, 503) or not wait.isdigit() or attempt == PATIENCE:
                break
            time.sleep(min(int(wait), LONGEST_WAIT))
        if answer.is_success:
            return answer
        if self.is_stranger and answer.status_code == 401 and path.startswith("/admin/"):
            raise Problem(NOT_SIGNED_IN, NOT_ALLOWED, "invalid_token")
        raise self.problem(answer)

    def json(self, method: str, path: str, **options: Any) -> Any:
        answer = self.request(method, path, **options)
        return self.read(answer) if answer.content else None

    def read(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise Problem(f"{self.endpoint} does not answer as Clientdesk does. Is the address right?") from None

    def unreachable(self, error: httpx.RequestError) -> Problem:
        """Return why nothing came back, and what to do about it."""
        why = str(error)
        if isinstance(error, httpx.TimeoutException):
            return Problem(f"{self.endpoint} did not answer in time. Try again in a moment.", UNREACHABLE)
        if "CERTIFICATE_VERIFY_FAILED" in why:
            advice = "If your company signs it, name the file with its root certificate in SSL_CERT_FILE."
            return Problem(f"This computer does not trust the certificate of {self.endpoint}. {advice}", UNREACHABLE)
        if "SSL" in why:
            return Problem(f"{self.endpoint} does not speak TLS. Does its address begin with http://?", UNREACHABLE)
        said = re.sub(r"^\[[^]]*\] ", "", why) or type(error).__name__
        advice = "Is the address right, and are you online?"
        return Problem(f"{self.endpoint} does not answer: {said}. {advice}", UNREACHABLE)

    def problem(self, answer: httpx.Response) -> Problem:
        """Return the server's refusal as a sentence; what is no refusal of Clientdesk's is told as such."""
        try:
            body = answer.json()
        except ValueError:
            body = None
        if isinstance(body, dict) and "error" in body:
            return refusal(answer, body)
        said = f"{answer.status_code} {answer.reason_phrase}".strip()
        if answer.next_request is not None:
            place = str(answer.next_request.url.copy_with(raw_path=b"/")).rstrip("/")
            return Problem(f"{self.endpoint} leads elsewhere. Give the address of the portal itself: {place}?")
        if answer.is_server_error:
            return Problem(f"{self.endpoint} has a problem of its own ({said}). Try again in a moment.")
        status = BY_STATUS.get(answer.status_code, FAILED)  # type: ignore[call-overload]
        return Problem(f"{self.endpoint} answers {said}, and not as Clientdesk does. Is the address right?", status)

    @contextmanager
    def stream(self, path: str, query: dict[str, Any]) -> Iterator[Iterator[str]]:
        """Give the text of a long answer piece by piece."""
        try:
            with self.http.stream("GET", path, params=query) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self.problem(answer)
                yield answer.iter_text()
        except httpx.RequestError as error:
            raise self.unreachable(error) from None

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
        document = self.json("GET", "/.well-known/oauth-authorization-server")
        if not isinstance(document, dict) or not document.keys() >= ENDPOINTS:
            raise Problem(f"{self.endpoint} does not answer as Clientdesk does. Is the address right?")
        return document


def refusal(answer: httpx.Response, body: dict[str, Any]) -> Problem:
    code = str(body["error"])
    sentence = str(body.get("error_description") or f"The server answered {answer.status_code}.")
    if answer.status_code == 401 and code in ("invalid_token", "unauthorized"):
        return Problem(f"{sentence} Sign in with `clientdesk login`, or set CLIENTDESK_TOKEN.", NOT_ALLOWED, code)
    return Problem(f"{sentence} ({code})", BY_STATUS.get(answer.status_code, FAILED), code)  # type: ignore[call-overload]


def part(text: str) -> str:
    """Return a path segment; an ID that is a URL stays one segment, and none leads to what is above it."""
    if text in ("", ".", ".."):
        raise Problem(f"“{text}” is no ID.", USAGE)
    return quote(text, safe="")
