"""base64url without padding (RFC 7515 section 2, RFC 4648 section 5)."""

import base64


def encode(data: bytes) -> str:
    return base64.b64encode(data, b"-_").rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes. Raises ValueError for anything but the canonical encoding, so that a text reads one way."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(data) != text:
        raise ValueError("not canonical")
    return data
