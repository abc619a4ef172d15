"""Keyset pagination with Link headers (RFC 8288): the last page costs what the first does."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from core.rest.errors import InvalidRequest

SALT = "core.rest.paging"
MAX_AGE = 3600  # seconds
DEFAULT, MOST = 100, 500
PAGING: dict[str, dict[str, Any]] = {
    "page_size": {
        "type": "integer",
        "default": DEFAULT,
        "description": f"How many to return, at most {MOST}; a larger number means {MOST}, 0 and less mean {DEFAULT}.",
    },
    "page_token": {
        "type": "string",
        "description": "Which page to return: take the URL from the Link header's “next”. It expires after an hour.",
    },
}


@dataclass(frozen=True)
class Keyset[Row: Model]:
    """An order of rows in which each has a key, so that a page can begin after the last row of the one before."""

    order: tuple[str, ...]
    key: Callable[[Row], list[str]]
    after: Callable[[QuerySet[Row], list[str]], QuerySet[Row]]


BY_KEY: Keyset[Any] = Keyset(("pk",), lambda row: [str(row.pk)], lambda rows, key: rows.filter(pk__gt=key[0]))
BACKWARDS: Keyset[Any] = Keyset(("-pk",), lambda row: [str(row.pk)], lambda rows, key: rows.filter(pk__lt=key[0]))


def paginate(
    request: HttpRequest, rows: QuerySet[Any], query: Mapping[str, Any], *, whose: str, keyset: Keyset[Any] = BY_KEY
) -> tuple[list[Any], dict[str, str]]:
    """Return one page of the rows in that order, and the Link header (RFC 8288) that leads to the others."""
    size = query.get("page_size", DEFAULT)
    size = min(size, MOST) if size > 0 else DEFAULT
    kept = {name: value for name, value in query.items() if name != "page_token"}
    fingerprint = _fingerprint(request.path, kept, whose)
    if "page_token" in query:
        rows = keyset.after(rows, _last_key(query["page_token"], fingerprint))
    found = list(rows.order_by(*keyset.order)[: size + 1])
    links = {"first": kept}
    if len(found) > size:
        found.pop()
        links["next"] = kept | {"page_token": signing.dumps([keyset.key(found[-1]), fingerprint], salt=SALT)}
    shown = (f'<{request.path}?{urlencode(link | {"page_size": size})}>; rel="{name}"' for name, link in links.items())
    return found, {"Link": ",".join(shown)}


def _fingerprint(path: str, filters: Mapping[str, Any], whose: str) -> str:
    """Bind a page token to its list, its filters and its caller: taken elsewhere it opens nothing."""
    filters = {name: value for name, value in filters.items() if name != "page_size"}
    return hashlib.sha256(json.dumps([path, filters, whose], sort_keys=True).encode()).hexdigest()[:32]


def _last_key(token: str, fingerprint: str) -> list[str]:
    """Return the key of the last row of the page before. Raises InvalidRequest."""
    try:
        after, signed_for = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidRequest("page_token has expired or is invalid. Start again at the first page.") from None
    if signed_for != fingerprint:
        raise InvalidRequest("page_token belongs to another list. Keep the filters of the first page.")
    return [after] if isinstance(after, str) else list(after)  # one of an earlier release, which lives for an hour
