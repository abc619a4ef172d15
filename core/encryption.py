"""Encryption at rest under KEY_ENCRYPTION_KEYS: mail, sessions, second factors, signing keys."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


def fernet() -> MultiFernet:
    """Return the cipher that encrypts under the newest key, and decrypts under any of the keys."""
    return MultiFernet([Fernet(key) for key in settings.KEY_ENCRYPTION_KEYS])


def reencrypt(ciphertext: bytes) -> bytes:
    """Return the ciphertext under the newest key; the very bytes where they are under it already.

    Raises InvalidToken when none of the keys decrypts it.
    """
    try:
        Fernet(settings.KEY_ENCRYPTION_KEYS[0]).decrypt(ciphertext)
    except InvalidToken:
        return fernet().rotate(ciphertext)
    return ciphertext
