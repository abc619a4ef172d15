"""What must be read again rests encrypted under KEY_ENCRYPTION_KEYS: mail, sessions, second factors, signing keys."""

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings


def vault() -> MultiFernet:
    """Return what encrypts under the newest key, and opens what any of the keys has encrypted."""
    return MultiFernet([Fernet(key) for key in settings.KEY_ENCRYPTION_KEYS])
