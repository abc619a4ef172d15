"""Call the REST API: JSON over HTTP, errors as `{"error", "error_description"}`."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from clientdesk.errors import EXIT_STATUS_OF, FAILED, NOT_ALLOWED, UNREACHABLE, USAGE, CommandError

_NOT_SIGNED_IN = "You are not signed in. Sign in with `clientdesk login`, or set CLIENTDESK_TOKEN."
# Members of the authorization server's metadata that commands need.
_REQUIRED_METADATA = {"issuer", "authorization_endpoint", "token_endpoint", "revocation_endpoint"}
_MAX_RETRIES = 3  # of a request that the server answers with Retry-After
_MAX_RETRY_AFTER = 30  # seconds


@dataclass(frozen=True)
class Page:
    """A page of a list, and the token of the next one if there is one."""

    rows: list[Any]
    next_token: str


class ApiClient:
    """One server and one bearer token. An answer that is not a success raises CommandError."""

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
        for name, value in sent.items():  # here, because httpx's own error repeats the value
            if not (value.isascii() and value.isprintable() and name.isascii() and name.isprintable()):
                raise CommandError(f"The header {name!a} holds a character that no header has. Copy it again.", USAGE)
        self._is_anonymous = "authorization" not in map(str.lower, sent)
        self._http = httpx.Client(base_url=self.endpoint, headers=sent, verify=verify, timeout=30, transport=transport)

    def __repr__(self) -> str:
        return f"<ApiClient {self.endpoint}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return a successful answer; retry while the server is busy (429 and 503 with Retry-After)."""
        for attempt in range(_MAX_RETRIES + 1):
            try:
                answer = self._http.request(method, path, **options)
            except httpx.InvalidURL:
                message = "That can't be sent in a URL: it is too long, or holds a character that URLs do not allow."
                raise CommandError(message, USAGE) from None
            except httpx.RequestError as error:
                raise self._connection_error(error) from None
            wait = answer.headers.get("Retry-After", "")
            if answer.status_code not in (429, 503) or not wait.isdigit() or attempt == _MAX_RETRIES:
                break
            time.sleep(min(int(wait), _MAX_RETRY_AFTER))
        if answer.is_success:
            return answer
        if self._is_anonymous and answer.status_code == 401 and path.startswith("/admin/"):
            raise CommandError(_NOT_SIGNED_IN, NOT_ALLOWED, "invalid_token")
        raise self._error(answer)

    def json(self, method: str, path: str, **options: Any) -> Any:
        answer = self.request(method, path, **options)
        return self._parse(answer) if answer.content else None

    def _parse(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise CommandError(f"{self.endpoint} does not answer as Clientdesk does. Is the URL right?") from None

    def _connection_error(self, error: httpx.RequestError) -> CommandError:
        """Return why there is no answer, and what to do about it."""
        why = str(error)
        if isinstance(error, httpx.TimeoutException):
            return CommandError(f"{self.endpoint} did not answer in time. Try again in a moment.", UNREACHABLE)
        if "CERTIFICATE_VERIFY_FAILED" in why:
            advice = "If your company signs it, name the file with its root certificate in SSL_CERT_FILE."
            return CommandError(
                f"This computer does not trust the certificate of {self.endpoint}. {advice}", UNREACHABLE
            )
        if "SSL" in why:
            return CommandError(f"{self.endpoint} does not speak TLS. Does its URL begin with http://?", UNREACHABLE)
        said = re.sub(r"^\[[^]]*\] ", "", why) or type(error).__name__
        advice = "Is the URL right, and are you online?"
        return CommandError(f"{self.endpoint} does not answer: {said}. {advice}", UNREACHABLE)

    def _error(self, answer: httpx.Response) -> CommandError:
        """Return the server's error as a sentence; an answer that is not Clientdesk's is named as such."""
        try:
            body = answer.json()
        except ValueError:
            body = None
        if isinstance(body, dict) and "error" in body:
            return _error_of(answer, body)
        said = f"{answer.status_code} {answer.reason_phrase}".strip()
        if answer.next_request is not None:
            place = str(answer.next_request.url.copy_with(raw_path=b"/")).rstrip("/")
            return CommandError(
                f"{self.endpoint} redirects to another URL. Give the URL of the portal itself: {place}?"
            )
        if answer.is_server_error:
            return CommandError(f"{self.endpoint} has an error ({said}). Try again in a moment.")
        status = EXIT_STATUS_OF.get(answer.status_code, FAILED)  # type: ignore[call-overload]
        return CommandError(f"{self.endpoint} answers {said}, and not as Clientdesk does. Is the URL right?", status)

    @contextmanager
    def stream(self, path: str, query: dict[str, Any]) -> Iterator[Iterator[str]]:
        """Give the text of a long answer in chunks."""
        try:
            with self._http.stream("GET", path, params=query) as answer:
                if not answer.is_success:
                    answer.read()
                    raise self._error(answer)
                yield answer.iter_text()
        except httpx.RequestError as error:
            raise self._connection_error(error) from None

    def pages(self, path: str, **query: Any) -> Iterator[Page]:
        """Yield page after page of a list, by the `next` links (RFC 8288)."""
        parameters: dict[str, Any] | None = {name: value for name, value in query.items() if value not in (None, "")}
        while True:
            answer = self.request("GET", path, params=parameters)
            found = re.search(r'<([^<>]*)>;\s*rel="next"', answer.headers.get("Link", ""))
            yield Page(
                self._parse(answer), parse_qs(urlsplit(found[1]).query).get("page_token", [""])[0] if found else ""
            )
            if found is None:
                return
            path, parameters = found[1], None  # an empty dict would take the query away

    def list_all(self, path: str, **query: Any) -> list[Any]:
        """Return the items of every page."""
        return [item for page in self.pages(path, **query) for item in page.rows]

    def discovery(self) -> dict[str, Any]:
        """Return the authorization server's metadata (RFC 8414)."""
        document = self.json("GET", "/.well-known/oauth-authorization-server")
        if not isinstance(document, dict) or not document.keys() >= _REQUIRED_METADATA:
            raise CommandError(f"{self.endpoint} does not answer as Clientdesk does. Is the URL right?")
        return document


def _error_of(answer: httpx.Response, body: dict[str, Any]) -> CommandError:
    code = str(body["error"])
    sentence = str(body.get("error_description") or f"The server answered {answer.status_code}.")
    if answer.status_code == 401 and code in ("invalid_token", "unauthorized"):
        return CommandError(f"{sentence} Sign in with `clientdesk login`, or set CLIENTDESK_TOKEN.", NOT_ALLOWED, code)
    if code == "insufficient_scope":
        sentence += " After `clientdesk login`, sign in again with `clientdesk login --write`."
    return CommandError(f"{sentence} ({code})", EXIT_STATUS_OF.get(answer.status_code, FAILED), code)  # type: ignore[call-overload]


def path_segment(text: str) -> str:
    """Return an ID as one path segment, percent-encoded. Raises CommandError for one that would lead elsewhere."""
    if text in ("", ".", ".."):
        raise CommandError(f"“{text}” is not an ID.", USAGE)
    return quote(text, safe="")
