"""Secrets that were presented and rest under a former pepper: buffered, and digested under the current one."""

import threading
from typing import NamedTuple
from uuid import UUID

from clients import secrets
from clients.models import ClientSecret

MOST = 500  # of one round; a secret that finds no place comes again with its next use


class Redigest(NamedTuple):
    former: str
    digest: str
    pepper_version: str


_lock = threading.Lock()
_pending: dict[UUID, Redigest] = {}


def record(secret: UUID, digest: str, pepper_version: str, text: str) -> None:
    """Record that the text is the secret, whose digest is stored under that version of the pepper."""
    current = secrets.current_pepper()
    if pepper_version == current:
        return
    with _lock:
        if len(_pending) < MOST:
            _pending[secret] = Redigest(digest, secrets.keyed_digest(text, current), current)


def flush() -> None:
    """Write the new digests, each on its own, so that two processes never wait for one another."""
    with _lock:
        found = dict(_pending)
        _pending.clear()
    for secret, (former, digest, version) in found.items():
        ClientSecret.objects.filter(pk=secret, digest=former).update(digest=digest, pepper_version=version)


def reset() -> None:
    """Forget what is pending."""
    with _lock:
        _pending.clear()
