"""Re-encryption of stored data under the newest of KEY_ENCRYPTION_KEYS, so that an older one can be removed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet

from authority.models import Challenge, PushedRequest, SigningKey
from connections.models import Connection
from consumers import audit
from consumers.audit import Actor
from core.encryption import reencrypt
from core.models import Message
from portal.events import PortalEvent

FERNET_PREFIX = "gAAAA"  # how a Fernet token begins, among other values of a second factor


@dataclass
class Count:
    """How many rows of one kind were read, re-encrypted, and could not be decrypted by any key."""

    what: str
    seen: int = 0
    moved: int = 0
    lost: int = 0


def reencrypt_all(*, actor: Actor) -> list[Count]:
    """Re-encrypt all stored data under the newest key, while the server runs. Cut short, it can be repeated."""
    counts = [_reencrypt_rows(what, rows, field, change) for what, rows, field, change in encrypted_fields()]
    with transaction.atomic():
        moved = {count.what: count.moved for count in counts}
        audit.record(PortalEvent.KEYS_REENCRYPTED, actor=actor, detail={"moved": moved})
    return counts


def encrypted_fields() -> Iterator[tuple[str, QuerySet[Any], str, Callable[[Any], Any]]]:
    """Yield each encrypted field: its name, the rows, the column, and the function that re-encrypts a value."""
    yield (
        "signing keys",
        SigningKey.objects.exclude(encrypted_private_key=b""),
        "encrypted_private_key",
        _reencrypt_bytes,
    )
    yield "pushed requests", PushedRequest.objects.all(), "encrypted_parameters", _reencrypt_bytes
    yield "requests to the provider's own login", Challenge.objects.all(), "encrypted_request", _reencrypt_bytes
    answered = Challenge.objects.exclude(encrypted_answer=b"")
    yield "answers of the provider's own login", answered, "encrypted_answer", _reencrypt_bytes
    yield (
        "client secrets of connections",
        Connection.objects.exclude(encrypted_client_secret=b""),
        "encrypted_client_secret",
        _reencrypt_bytes,
    )
    yield "mail", Message.objects.exclude(encrypted_message=b""), "encrypted_message", _reencrypt_bytes
    yield "sessions", Session.objects.all(), "session_data", _reencrypt_text
    yield "second factors", Authenticator.objects.all(), "data", _reencrypt_members


def _reencrypt_rows(what: str, rows: QuerySet[Any], field: str, change: Callable[[Any], Any]) -> Count:
    count = Count(what)
    for pk, old in rows.values_list("pk", field).iterator(chunk_size=200):
        count.seen += 1
        try:
            new = change(old)
        except InvalidToken:
            count.lost += 1
            continue
        if new != old:
            # A row that was written meanwhile is encrypted under the newest key already.
            count.moved += rows.filter(pk=pk, **{field: old}).update(**{field: new})
    return count


def _reencrypt_bytes(ciphertext: bytes) -> bytes:
    return reencrypt(bytes(ciphertext))


def _reencrypt_text(ciphertext: str) -> str:
    return reencrypt(ciphertext.encode()).decode()


def _reencrypt_members(value: Any) -> Any:
    """Re-encrypt every Fernet token anywhere in a JSON value."""
    if isinstance(value, dict):
        return {name: _reencrypt_members(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_reencrypt_members(member) for member in value]
    return _reencrypt_text(value) if isinstance(value, str) and value.startswith(FERNET_PREFIX) else value
