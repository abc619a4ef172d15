"""A token hook of an operator: a real HTTP server on a loopback port."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ADDED: dict[str, Any] = {"session": {"access_token": {"depot": "HAM-02"}, "id_token": {"fleet": 7}}}


@dataclass
class HookServer:
    """Answers as `answer` says, a status and a document or bytes; keeps what it was asked."""

    url: str = ""
    answer: Callable[[dict[str, Any]], tuple[int, Any]] = lambda asked: (200, ADDED)
    asked: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[HookServer]:
    hook = HookServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.bodies.append(body)
            hook.headers.append({name.lower(): value for name, value in self.headers.items()})
            hook.asked.append(json.loads(body))
            status, document = hook.answer(hook.asked[-1])
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status != 204:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if status != 204:
                    self.wfile.write(content)
            except OSError:
                pass  # whoever asked has gone

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.url = f"http://127.0.0.1:{server.server_port}/claims"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hook
    server.shutdown()
    server.server_close()
