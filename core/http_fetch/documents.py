"""JSON documents of other servers, kept in memory: keys, discovery documents, metadata of clients."""

import codecs
import threading
import time
from collections import OrderedDict
from typing import Any

from core import foreign_json
from core.http_fetch.target import FetchError
from core.http_fetch.transport import MAX_BODY, PATIENCE, Answer, busy, fetch

KEEP = 600.0  # seconds that a document counts as fresh
AGAIN = 60.0  # seconds after which a document may be read anew because it lacked something
PAUSE = 15.0  # seconds in which a server that failed is not asked again
MOST = 100  # documents in memory


class Slot:
    """One document, when it was read, and how the latest try went."""

    def __init__(self) -> None:
        self.lock = threading.Lock()  # one thread asks, the others wait for its answer
        self.document: dict[str, Any] | None = None
        self.error: FetchError | None = None
        self.read_at = self.tried_at = float("-inf")

    def fresh(self) -> dict[str, Any] | None:
        return self.document if time.monotonic() - self.read_at < KEEP else None

    def patience(self) -> float:
        """Return how long to wait for a thread that asks already: the longer it takes, the less."""
        return max(0.05, self.tried_at + PATIENCE - time.monotonic())


_slots: OrderedDict[str, Slot] = OrderedDict()
_guard = threading.Lock()


def document(url: str, *, again: bool = False) -> dict[str, Any]:
    """Return the JSON object at the address, read within the last KEEP seconds. Raises FetchError.

    `again` asks anew because the document lacked something, such as a key; within AGAIN seconds of the last try it
    returns the one that is known, so that unknown key names cannot make us call another server over and over.
    """
    slot = _slot_for(url)
    if not again and (known := slot.fresh()) is not None:
        return known
    if not slot.lock.acquire(timeout=slot.patience()):
        raise busy()
    try:
        now = time.monotonic()
        known = slot.fresh()
        if known is not None and (not again or now - slot.tried_at < AGAIN):
            return known
        if slot.error is None or now - slot.tried_at >= PAUSE:
            slot.tried_at = now
            try:
                slot.document, slot.error = _parse(fetch(url)), None
                slot.read_at = now
            except FetchError as error:
                if error.reason == "busy":  # which says nothing about this server
                    raise
                slot.error = error
        if slot.error is not None:
            raise FetchError(slot.error.reason, str(slot.error))
        assert slot.document is not None
        return slot.document
    finally:
        slot.lock.release()


def _slot_for(url: str) -> Slot:
    with _guard:
        slot = _slots.setdefault(url, Slot())
        _slots.move_to_end(url)
        if len(_slots) > MOST:
            _slots.popitem(last=False)
        return slot


def forget(url: str) -> None:
    """Read the document anew when it is needed next."""
    with _guard:
        _slots.pop(url, None)


def reset() -> None:
    """Read every document anew when it is needed next."""
    with _guard:
        _slots.clear()


def _parse(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise FetchError("status", f"The response has status {answer.status}.")
    return _json_object(answer.body)


def _json_object(body: bytes) -> dict[str, Any]:
    """Return the body as a JSON object, with or without a byte order mark (RFC 8259 section 8.1). Raises FetchError."""
    try:
        found = foreign_json.loads(body.removeprefix(codecs.BOM_UTF8), max_bytes=MAX_BODY)
    except foreign_json.InvalidJSON:
        found = None
    if not isinstance(found, dict):
        raise FetchError("json", "The response is not a JSON object.")
    return found
