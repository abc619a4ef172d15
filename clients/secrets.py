"""The format of client secrets; core/credentials.py generates and hashes them."""

from datetime import datetime

from django.utils import timezone

from core import credentials
from core.credentials import current_pepper, keyed_digest, peppers

__all__ = ["PREFIX", "current_pepper", "generate", "is_expired", "keyed_digest", "looks_real", "peppers"]

PREFIX = "cdsk_"


def generate() -> str:
    """Return a new secret."""
    return credentials.generate(PREFIX)


def looks_real(secret: str) -> bool:
    """Whether the text has the prefix and checksum of a client secret."""
    return credentials.is_well_formed(secret, PREFIX)


def is_expired(expires_at: datetime | None) -> bool:
    """Whether a secret with this expiry no longer authenticates; None never expires."""
    return expires_at is not None and expires_at <= timezone.now()
