"""Servers of other people, as tests need them: honest ones that publish documents, and hostile ones."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from core.http_fetch import documents
from core.http_fetch.target import FetchError


@dataclass
class Publisher:
    """A server on a loopback port. It answers with `pages`: a path's JSON document, or what to do with the socket."""

    port: int = 0
    pages: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, path: str, page: Any) -> str:
        """Serve the page; return its address."""
        self.pages[path] = page
        return f"{self.url}{path}"

    def answer(self, link: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data and (more := link.recv(65536)):
            data += more
        if not data:
            return
        self.requests.append(data)
        path = data.split(b" ", 2)[1].decode()
        self.asked.append(path)
        page = self.pages.get(path)
        if isinstance(page, bytes):
            link.sendall(page)
        elif isinstance(page, Callable):
            page(link)
        elif page is None:
            link.sendall(answer(b"{}", "404 Not Found"))
        else:
            link.sendall(answer(json.dumps(page).encode()))


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


@contextmanager
def publishing(context: Any = None) -> Iterator[Publisher]:
    """Serve until the block ends; with a TLS context, over TLS."""
    publisher = Publisher()
    with socket.create_server(("127.0.0.1", 0)) as door:
        publisher.port = door.getsockname()[1]

        def serve(link: socket.socket) -> None:
            try:
                if context is not None:
                    link = context.wrap_socket(link, server_side=True)
                publisher.answer(link)
            except OSError:
                pass  # whoever asked has gone
            finally:
                link.close()

        def listen() -> None:
            while True:
                try:
                    link, _ = door.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(link,), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield publisher
        door.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def publisher(settings: Any) -> Iterator[Publisher]:
    """A server that we may ask, and no memory of what others have published."""
    documents.reset()
    settings.FETCH_LOCAL_HOSTS = ["127.0.0.1"]
    with publishing() as publisher:
        yield publisher


def reason(deed, *args, **options):
    with pytest.raises(FetchError) as refused:
        deed(*args, **options)
    assert str(refused.value)
    return refused.value.reason
