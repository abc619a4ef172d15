"""How much memory a process needs for each client that it remembers; this runs inside `manage.py shell`."""

import gc
import json
import time
from pathlib import Path

import psutil

from authority.endpoints import fast_path
from benchmarks.harness import basic
from benchmarks.servers import BODY
from core import cache


def kilobytes_each(secrets: str) -> float:
    """Let every client ask for a token as it does of a server, and return what that leaves behind for each.

    The file names them with their secrets: who made those here would leave memory that is free to be used again.
    """
    cache.mark_fresh(time.monotonic() + 3600)
    warm, *others = json.loads(Path(secrets).read_text()).items()
    ask(*warm)
    before = held()
    for client_id, secret in others:
        ask(client_id, secret)
    return (held() - before) / len(others) / 1000


def ask(client_id: str, secret: str) -> None:
    environ = {"HTTP_AUTHORIZATION": f"Basic {basic(client_id, secret)}", "REMOTE_ADDR": "127.0.0.1"}
    assert fast_path.respond_to_token_request(environ, BODY.encode()) is not None


def held() -> int:
    gc.collect()
    return int(psutil.Process().memory_full_info().uss)
