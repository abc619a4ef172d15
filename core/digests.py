"""What rests of codes and tokens."""

import hashlib


def digest(token: str) -> str:
    """Return the hash that the database knows a token by; tokens are random, so a plain one is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
