"""Rules for all URIs: their characters (RFC 3986) and domain names (RFC 1123)."""

import re
from urllib.parse import urlsplit

MAX_LENGTH = 2000
# Names that a private network answers, not the public one (RFC 6761, RFC 6762, RFC 8375, and ICANN's .internal).
PRIVATE_DOMAINS = (".localhost", ".local", ".internal", ".home.arpa")
DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


def is_absolute(uri: str) -> bool:
    """Whether the text is an absolute URI without a fragment (RFC 3986 section 4.3), as RFC 8707 section 2 wants it."""
    if not uri.isascii() or not uri.isprintable() or "#" in uri or len(uri) > MAX_LENGTH:
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path))


def check_characters(uri: str) -> str:
    """RFC 3986 section 2, and percent-encodings that some servers decode before they compare."""
    if len(uri) > MAX_LENGTH:
        return f"shorten it to {MAX_LENGTH:,} characters."
    if not re.fullmatch(r"[\x21-\x7e]+", uri):
        return "write it in ASCII without spaces; encode other characters with % or punycode."
    if re.search(r'[\\<>"^`{|}*]', uri):
        return "leave out wildcards, backslashes, quotes, brackets and braces."
    if re.search(r"%(?![0-9A-Fa-f]{2})|%([01][0-9a-f]|7f|25|2e|2f|5c)", uri, re.IGNORECASE):
        return "leave out encoded slashes, dots, percent signs and control characters."
    return ""
