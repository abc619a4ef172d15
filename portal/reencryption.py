"""Everything that rests sealed, moved under the newest of KEY_ENCRYPTION_KEYS, so that an older one can be removed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet

from authority.models import PushedRequest, SigningKey
from consumers import audit
from consumers.audit import Actor, EventName
from core.encryption import renew
from core.models import Message

SEALED_START = "gAAAA"  # how what we seal begins, among other values of a second factor


@dataclass
class Count:
    """How many of one kind of thing were looked at, moved, and cannot be opened by any key."""

    what: str
    seen: int = 0
    moved: int = 0
    lost: int = 0


def reseal(*, actor: Actor) -> list[Count]:
    """Move all that is sealed under the newest key, while the server runs. Cut short, it can be repeated."""
    counts = [_reseal_rows(what, rows, field, change) for what, rows, field, change in _resting()]
    with transaction.atomic():
        moved = {count.what: count.moved for count in counts}
        audit.record(EventName.KEYS_RESEALED, actor=actor, detail={"moved": moved})
    return counts


def _resting() -> Iterator[tuple[str, QuerySet[Any], str, Callable[[Any], Any]]]:
    """Yield what rests sealed: its name, the rows, the field, and how its value is moved."""
    yield "signing keys", SigningKey.objects.exclude(sealed=b""), "sealed", _renew_bytes
    yield "pushed requests", PushedRequest.objects.all(), "sealed", _renew_bytes
    yield "mail", Message.objects.exclude(sealed=b""), "sealed", _renew_bytes
    yield "sessions", Session.objects.all(), "session_data", _renew_text
    yield "second factors", Authenticator.objects.all(), "data", _renew_members


def _reseal_rows(what: str, rows: QuerySet[Any], field: str, change: Callable[[Any], Any]) -> Count:
    count = Count(what)
    for pk, old in rows.values_list("pk", field).iterator(chunk_size=200):
        count.seen += 1
        try:
            new = change(old)
        except InvalidToken:
            count.lost += 1
            continue
        if new != old:
            # A row that was written meanwhile is sealed under the newest key already.
            count.moved += rows.filter(pk=pk, **{field: old}).update(**{field: new})
    return count


def _renew_bytes(sealed: bytes) -> bytes:
    return renew(bytes(sealed))


def _renew_text(sealed: str) -> str:
    return renew(sealed.encode()).decode()


def _renew_members(value: Any) -> Any:
    """Renew what is sealed anywhere in a JSON value."""
    if isinstance(value, dict):
        return {name: _renew_members(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_renew_members(member) for member in value]
    return _renew_text(value) if isinstance(value, str) and value.startswith(SEALED_START) else value
