"""What a client secret looks like, and how it rests: see core/credentials.py."""

from core import credentials
from core.credentials import current_pepper, digest, peppers

__all__ = ["PREFIX", "current_pepper", "digest", "generate", "looks_real", "peppers"]

PREFIX = "cdsk_"


def generate() -> str:
    """Return a new secret."""
    return credentials.generate(PREFIX)


def looks_real(secret: str) -> bool:
    return credentials.looks_real(secret, PREFIX)
