"""What must be read again rests encrypted under KEY_ENCRYPTION_KEYS: mail, sessions, second factors, signing keys."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def vault() -> MultiFernet:
    """Return what encrypts under the newest key, and opens what any of the keys has encrypted."""
    return MultiFernet([Fernet(key) for key in settings.KEY_ENCRYPTION_KEYS])


def renew(sealed: bytes) -> bytes:
    """Return the same contents sealed under the newest key, or the very bytes where they are already.

    Raises InvalidToken when none of the keys opens them.
    """
    try:
        Fernet(settings.KEY_ENCRYPTION_KEYS[0]).decrypt(sealed)
    except InvalidToken:
        return vault().rotate(sealed)
    return sealed
