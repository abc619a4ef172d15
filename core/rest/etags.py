"""Entity tags (RFC 9110 section 8.8.3): they name the state of a thing that an answer shows."""

import hashlib
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.http import parse_etags, quote_etag

# Members that tell how a thing is used. They change without anybody changing it.
USE = frozenset({"last_used_at", "last_used_ip", "use_count", "last_seen_at"})
DIGITS = 20  # of SHA-256 in hexadecimal: 80 bits, against chance alone
MAX_LENGTH = 4096  # characters of a header that are read: some eighty tags


def etag(document: Any, revision: str = "") -> str:
    """Return the strong tag of a JSON document: its revision, then a digest of all of it.

    The revision, unless it is given, is a digest of what does not tell use: If-Match compares it alone, so that a
    thing that was only used meanwhile can be changed.
    """
    if not revision:
        set_by_somebody = document
        if isinstance(document, dict):
            set_by_somebody = {name: value for name, value in document.items() if name not in USE}
        revision = _digest(set_by_somebody)
    return quote_etag(f"{revision}.{_digest(document)}")


def named_revisions(if_match: str) -> list[str] | None:
    """Return the revisions that an If-Match header (RFC 9110 section 13.1.1) names; None where it names any."""
    named = _tags_of(if_match)
    return None if "*" in named else [revision_of(tag) for tag in named]


def is_unchanged(if_match: str, revision: str) -> bool:
    """Say whether an If-Match header names the revision, or any."""
    named = named_revisions(if_match)
    return named is None or revision in named


def is_known(if_none_match: str, current: str) -> bool:
    """Say whether an If-None-Match header (RFC 9110 section 13.1.2) names the current tag."""
    named = [tag.removeprefix("W/") for tag in _tags_of(if_none_match)]
    return "*" in named or current in named


def revision_of(tag: str) -> str:
    """Return the part before the dot; a weak tag has none, for If-Match compares strongly."""
    return "" if tag.startswith("W/") else tag.strip('"').partition(".")[0]


def _tags_of(header: str) -> list[str]:
    """Return the tags that a header names, up to MAX_LENGTH: more are as if they matched nothing."""
    return parse_etags(header[:MAX_LENGTH])


def _digest(document: Any) -> str:
    text = json.dumps(document, cls=DjangoJSONEncoder, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
