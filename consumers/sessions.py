"""Sessions in the database, sealed: while somebody signs in they hold a code, and whoever reads a dump must not."""

from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib.sessions.backends import db

from consumers.vault import vault


class SessionStore(db.SessionStore):
    """Django's database sessions with their data encrypted. A session whose key is gone is empty, like an ended one."""

    def encode(self, session_dict: dict[str, Any]) -> str:
        return vault().encrypt(self.serializer().dumps(session_dict)).decode()

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        try:
            opened: dict[str, Any] = self.serializer().loads(vault().decrypt(session_data))
        except (InvalidToken, ValueError):
            return {}
        return opened
