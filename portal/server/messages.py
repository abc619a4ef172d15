"""Requests and responses, as the server and the application hand them to one another."""

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

Environ = dict[str, Any]
Headers = list[tuple[str, str]]

PIECE = 64 * 1024  # bytes of a body that are made at a time


class Response(NamedTuple):
    """What a request is answered with."""

    head: bytes  # status and headers, each line with its CRLF, as `response_head` writes them
    body: bytes


@dataclass(slots=True, eq=False)
class Stream:
    """A response whose body is made piece by piece, each when the client has taken the one before.

    Any thread may make the next piece, so the body must not rest on what belongs to one: a cursor, a transaction.
    """

    head: bytes
    has_length: bool  # whether the head says how long the body is
    parts: Iterator[bytes]
    end: Callable[[], None]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def piece(self) -> bytes:
        """Return as much as is worth a write, and nothing at the end."""
        collected: list[bytes] = []
        length = 0
        with self.lock:
            for part in self.parts:
                collected.append(part)
                length += len(part)
                if length >= PIECE:
                    break
        return b"".join(collected)

    def close(self) -> None:
        with self.lock:
            self.end()


class RefusedRequestError(Exception):
    """The request cannot be handed on. The connection is closed after the response."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def response_head(status: str, headers: Headers) -> bytes:
    lines = [status, *(f"{name}: {value}" for name, value in headers), ""]
    return "\r\n".join(lines).encode("latin-1")


@dataclass(slots=True, eq=False)
class Request:
    """A complete request, or one whose body is too long to be taken."""

    environ: Environ
    body: bytes
    keep_alive: bool
    is_http_1_0: bool
    head: bytes = b""  # of the response, once there is one


ONCE = {"HTTP_HOST", "CONTENT_TYPE", "CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_EXPECT"}
_known_keys: dict[bytes, str] = {}


def environ_key(name: bytes) -> str:
    """Return the name that a header has in a WSGI environ (PEP 3333). Raises RefusedRequestError."""
    if (known := _known_keys.get(name)) is not None:
        return known
    if b"_" in name:  # it would be taken for one with hyphens, which a proxy may have set
        text = name.decode("latin-1")
        raise RefusedRequestError(HTTPStatus.BAD_REQUEST, f"The name of the header {text} has an underscore.")
    word = name.decode("latin-1").upper().replace("-", "_")
    key = word if word in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{word}"
    if len(_known_keys) < 1000:  # strangers choose the names
        _known_keys[name] = key
    return key


def split_absolute(target: bytes) -> tuple[bytes, str] | None:
    """Return path and host of a target in absolute form (RFC 9112 section 3.2.2)."""
    try:
        parts = urlsplit(target.decode("ascii"))
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    return (parts.path or "/").encode() + (b"?" + parts.query.encode() if parts.query else b""), parts.netloc


BASE_ENVIRON: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.url_scheme": "http",
}
