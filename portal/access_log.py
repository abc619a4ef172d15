"""The access log: one line on standard output for each request that was answered, whichever part answered it.

The event loop only notes what came and what went; a thread of its own makes lines of it and writes them, so that
whoever reads them slowly holds up no request.
"""

import json
import logging
import os
import threading
import time
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from django.http import HttpRequest

from core.client_ip import caller_ip
from core.timefmt import rfc3339
from portal import logs

logger = logging.getLogger(__name__)

INTERVAL = 0.25  # seconds between two writes
MOST_WAITING = 20_000  # answers that are noted and not yet written; what comes then is counted alone
MOST_SAFE_PATHS = 1000
LONGEST_PATH = 200  # characters
CLIENT_ID = "portal.client_id"  # of an environ, where the request named a client that is known
STANDARD_OUTPUT = 1


class Answered(NamedTuple):
    at: float  # on time.time()
    seconds: float | None
    environ: dict[str, Any]
    head: bytes
    sent: int  # bytes


class AccessLog:
    """Notes answers, and writes them in a thread, from `start` to `stop`."""

    def __init__(self, style: str, output: int = STANDARD_OUTPUT) -> None:
        self.format = _json if style == "json" else _plain
        self.output = output
        self.waiting: deque[Answered] = deque()
        self.dropped = 0
        self.is_stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name="access log", daemon=True)

    def note(self, environ: dict[str, Any], head: bytes, sent: int, seconds: float | None) -> None:
        """Note an answer by the head that was sent, and by how many bytes were."""
        if len(self.waiting) < MOST_WAITING:
            self.waiting.append(Answered(time.time(), seconds, environ, head, sent))
        else:
            self.dropped += 1

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Write what is waiting, and end."""
        self.is_stopping.set()
        self.thread.join(timeout=2 * INTERVAL)

    def _run(self) -> None:
        while True:
            is_last = self.is_stopping.wait(INTERVAL)
            try:
                self._write()
            except Exception:
                logger.exception("requests are no longer logged")
                return
            if is_last:
                return

    def _write(self) -> None:
        lines = [self.format(self.waiting.popleft()) + "\n" for _ in range(len(self.waiting))]
        if self.dropped:
            logger.warning("%s requests are missing from the access log: its reader is too slow", f"{self.dropped:,}")
            self.dropped = 0
        data = "".join(lines).encode()
        while data:
            data = data[os.write(self.output, data) :]


def _members(answered: Answered) -> dict[str, Any]:
    """Return what is said of an answer. A query may hold codes and tokens, so the path alone is."""
    environ = answered.environ
    _, _, after_id = answered.head.partition(b"X-Request-Id: ")
    return {
        "time": rfc3339(datetime.fromtimestamp(answered.at, tz=UTC)),
        "ip": _ip(environ.get("REMOTE_ADDR"), environ.get("HTTP_X_FORWARDED_FOR")),
        "method": environ.get("REQUEST_METHOD") or None,
        "path": _path(environ.get("PATH_INFO", "")) or None,
        "status": int(answered.head[:3]),
        "bytes": answered.sent,
        "seconds": None if answered.seconds is None else round(answered.seconds, 4),
        "request_id": after_id.partition(b"\r\n")[0].decode() or None,
        "client_id": environ.get(CLIENT_ID) or None,
    }


@lru_cache(maxsize=1024)
def _ip(remote: str | None, forwarded: str | None) -> str | None:
    if remote is None:  # it was no request
        return None
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": remote} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {})
    return caller_ip(request)


_safe_paths: set[str] = set()  # those of most requests; none that anything was taken out of


def _path(raw: str) -> str:
    """Return a path of an environ without what a log may not hold."""
    if raw in _safe_paths:
        return raw
    path = raw.encode("latin-1").decode(errors="replace")[:LONGEST_PATH]
    safe = logs.safe(path)
    if safe == raw and len(_safe_paths) < MOST_SAFE_PATHS:
        _safe_paths.add(raw)
    return safe


def _json(answered: Answered) -> str:
    return json.dumps(_members(answered))


def _plain(answered: Answered) -> str:
    members = _members(answered)
    members["path"] = members["path"] and quote(members["path"], safe="/~:@!$&'()*+,;=…")
    return " ".join("-" if value is None else str(value) for value in members.values())
