"""An HTTP client for servers that nobody here trusts.

The IP addresses of a host are judged after the one resolution that the connection uses, so that DNS cannot answer
twice; no redirect is followed; and time and size limits end what a hostile server drags out.
"""

import io
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException, HTTPResponse
from typing import Any

from core.http_fetch.target import FetchError, Target, is_public, target

SECONDS = 5.0  # for everything: resolving, connecting, TLS, sending and reading
MAX_BODY = 64 * 1024
MAX_HEAD = 16 * 1024
PLACES = 2  # threads of a process that may wait for other servers at once; the others serve whoever needs none
PATIENCE = 1.0  # seconds to wait for a place, or for what another thread is about to bring


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: bytes = field(repr=False)


_resolvers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")  # the system's resolver knows no deadline


def resolve(host: str, port: int) -> list[str]:
    """Return the host's IP addresses."""
    return list(dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def _addresses(at: Target, deadline: float) -> list[str]:
    """Return where to connect. Raises FetchError when even one address is not public: no honest domain has such."""
    found = _resolvers.submit(resolve, at.host, at.port).result(timeout=_left(deadline))
    if not at.is_local and not all(is_public(address) for address in found):
        raise FetchError("address", f"{at.host} leads to an address that is not public.")
    return found[:3]


class Places:
    """Keeps servers that answer slowly, or on purpose never, from holding up every thread that we have."""

    def __init__(self, places: int = PLACES) -> None:
        self.free = threading.BoundedSemaphore(places)
        self.taken_until = float("-inf")

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for other servers meanwhile. Raises FetchError at once while the places are taken for long."""
        patient = time.monotonic() >= self.taken_until
        if not self.free.acquire(timeout=PATIENCE if patient else 0):
            if patient:
                self.taken_until = time.monotonic() + SECONDS
            raise busy()
        try:
            yield
        finally:
            self.free.release()


_places = Places()


def busy() -> FetchError:
    return FetchError("busy", "Other servers keep us waiting. Try again in a few seconds.")


def fetch(
    url: str,
    *,
    body: bytes | None = None,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
    seconds: float | None = None,
    place: AbstractContextManager[None] | None = None,
) -> Answer:
    """GET the address, or POST the body to it; return whatever answer it gives but a redirect. Raises FetchError.

    `headers` are our own further ones. A caller that bounds by itself how many threads wait brings a `place`.
    """
    at, seconds = target(url), seconds or SECONDS
    try:
        with place or _places.one():
            deadline = time.monotonic() + seconds
            with _connect(at, deadline) as link:
                link.settimeout(_left(deadline))
                link.sendall(_request(at, body, content_type, headers or {}))
                return _read(link, deadline, "GET" if body is None else "POST")
    except TimeoutError:
        raise FetchError("timeout", f"{at.host} did not answer within {seconds:g} seconds.") from None
    except ssl.SSLError:
        raise FetchError("tls", f"{at.host} shows no certificate that we trust.") from None
    except (OSError, HTTPException, UnicodeError):
        raise FetchError("connection", f"{at.host} cannot be reached, or speaks no HTTP.") from None


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _connect(at: Target, deadline: float) -> socket.socket:
    """Connect to one of the addresses that were judged; the name is resolved no second time."""
    failed: OSError = OSError("no address")
    for address in _addresses(at, deadline):
        try:
            link = socket.create_connection((address, at.port), timeout=_left(deadline))
        except OSError as error:
            failed = error
            continue
        if not at.secure:
            return link
        try:
            return tls().wrap_socket(link, server_hostname=at.host)
        except BaseException:
            link.close()
            raise
    raise failed


@cache
def tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _request(at: Target, body: bytes | None, content_type: str, headers: Mapping[str, str]) -> bytes:
    usual = 443 if at.secure else 80
    head = [
        f"{'GET' if body is None else 'POST'} {at.path} HTTP/1.1",
        f"Host: {at.host}" + ("" if at.port == usual else f":{at.port}"),
        "User-Agent: Clientdesk",
        "Accept: application/json, */*;q=0.5",
        "Accept-Encoding: identity",  # nothing to unpack, so nothing that grows when unpacked
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if body is not None:
        head += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode("ascii") + (body or b"")


class Limited(io.RawIOBase):
    """A socket's bytes, as many as we take and as long as we wait: a server that drips one a second ends too."""

    def __init__(self, link: socket.socket, deadline: float) -> None:
        self.link = link
        self.deadline = deadline
        self.rest = MAX_HEAD + 2 * MAX_BODY  # chunked, a body takes more than its length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.link.settimeout(_left(self.deadline))
        count = self.link.recv_into(buffer)
        self.rest -= count
        if self.rest < 0:
            raise _too_large()
        return count

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client asks of a socket."""
        return io.BufferedReader(self)


def _read(link: socket.socket, deadline: float, method: str) -> Answer:
    with HTTPResponse(Limited(link, deadline), method=method) as response:  # type: ignore[arg-type]
        response.begin()
        if 300 <= response.status < 400:
            raise FetchError("redirect", "It redirects. Give the URL that it redirects to.")
        if response.getheader("Content-Encoding", "identity").lower() != "identity":
            raise FetchError("encoding", "The response is compressed, although we asked for none.")
        body = response.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise _too_large()
        if response.length:
            raise FetchError("connection", "The response was cut off.")
        return Answer(response.status, response.getheader("Content-Type", ""), body)


def _too_large() -> FetchError:
    return FetchError("too_large", f"The response is longer than {MAX_BODY // 1024} kB.")
