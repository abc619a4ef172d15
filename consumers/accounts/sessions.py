"""Encrypted database sessions: while somebody signs in they hold a code, which no reader of a dump must learn.

Whoever ends one (by signing out here or from elsewhere, by signing in as somebody else) ends it here, and
`session_ended` says so to the room above. A session that nobody ends, but that ends by itself, goes without a word.
"""

from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import transaction
from django.dispatch import Signal

from core.db import outages
from core.encryption import fernet

session_ended = Signal()  # with its key
session_moved = Signal()  # with its old key and its new one


class SessionStore(db.SessionStore):
    """Django's database sessions with their data encrypted. A session whose key is gone is empty, like an ended one."""

    is_moving = False

    def encode(self, session_dict: dict[str, Any]) -> str:
        return fernet().encrypt(self.serializer().dumps(session_dict)).decode()

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            opened: dict[str, Any] = self.serializer().loads(fernet().decrypt(session_data))
        except (InvalidToken, ValueError):
            return {}
        return opened

    def save(self, must_create: bool = False) -> None:
        """Save the session. Raises UpdateError where it was ended meanwhile, which Django says of an outage too."""
        try:
            super().save(must_create)
        except UpdateError as error:
            if error.__context__ is not None and outages.is_outage(error.__context__):
                raise error.__context__ from error.__context__.__cause__
            raise

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        with transaction.atomic():
            super().delete(session_key)
            if key and not self.is_moving:
                session_ended.send(SessionStore, key=key)

    def cycle_key(self) -> None:
        """Give the session another key, such as after a change of the password."""
        old = self.session_key
        self.is_moving = True
        try:
            with transaction.atomic():
                super().cycle_key()
                if old:
                    session_moved.send(SessionStore, old=old, new=self.session_key)
        finally:  # else the end of this session, after a failed move, would be told to nobody
            self.is_moving = False
