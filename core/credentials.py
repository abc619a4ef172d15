"""Generate and hash credentials: client secrets, personal access tokens, authorization codes, refresh tokens.

A credential is a prefix, 43 base-62 digits of 256 random bits, and 6 base-62 digits of a CRC-32, so that a scanner can
tell a real one from a look-alike without asking us. What lives long is stored as an HMAC-SHA-256 under a pepper that
the database does not hold: 256 random bits need no slow hash (ASVS 5.0, 11.4.2 and 6.5.2), but a stolen dump must
verify nothing. What lives short, and is looked up in nearly every request, is stored as its SHA-256.
"""

import hashlib
import hmac
import secrets
import string
import zlib

from django.conf import settings
from django.db.models import Model

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
BODY, CHECK = 43, 6


def generate(prefix: str) -> str:
    """Return a new credential."""
    body = _base62(secrets.randbits(256), BODY)
    return f"{prefix}{body}{_checksum(body)}"


def is_well_formed(text: str, prefix: str) -> bool:
    """Say whether the text has the prefix, the length and the checksum; it may still be nobody's."""
    body, check = text[len(prefix) : -CHECK], text[-CHECK:]
    right_form = len(text) == len(prefix) + BODY + CHECK and text.startswith(prefix) and text.isascii()
    return right_form and hmac.compare_digest(_checksum(body), check)


def token_digest(token: str) -> str:
    """Return the SHA-256 of a token in hex, which is what the database stores: the token itself has 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def keyed_digest(text: str, version: str) -> str:
    """Return the HMAC-SHA-256 under that version of the pepper, in hex; empty when that pepper is gone."""
    pepper = settings.SECRET_PEPPERS.get(version)
    return hmac.digest(pepper.encode(), text.encode(), "sha256").hex() if pepper else ""


def keyed_digests(text: str) -> list[str]:
    """Return the digest under each pepper that we have, for a look-up."""
    return [keyed_digest(text, version) for version in peppers()]


def peppers() -> list[str]:
    """Return every version of the pepper that is at hand."""
    return list(settings.SECRET_PEPPERS)


def current_pepper() -> str:
    """Return the version that digests new texts: the first. Every process must know it before any uses it."""
    return next(iter(settings.SECRET_PEPPERS))


def redigest(row: Model, text: str) -> None:
    """Store the credential that was presented under the current pepper, so that the former one can be removed.

    `row` has the columns `digest` and `pepper_version`. It may have got another credential since it was read.
    """
    version = current_pepper()
    if row.pepper_version != version:  # type: ignore[attr-defined]
        same = type(row)._default_manager.filter(pk=row.pk, digest=row.digest)  # type: ignore[attr-defined]
        same.update(digest=keyed_digest(text, version), pepper_version=version)


def _base62(number: int, width: int) -> str:
    out = ""
    for _ in range(width):
        number, rest = divmod(number, 62)
        out = DIGITS[rest] + out
    return out


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECK)
