"""Keyset pagination with Link headers (RFC 8288): the last page costs what the first does."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import QuerySet
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


def paginate(
    request: HttpRequest, rows: QuerySet[Any], query: Mapping[str, Any], *, whose: str, backwards: bool = False
) -> tuple[list[Any], dict[str, str]]:
    """Return one page of the rows by primary key, and the Link header (RFC 8288) that leads to the others."""
    size = query.get("page_size", DEFAULT)
    size = min(size, MOST) if size > 0 else DEFAULT
    kept = {name: value for name, value in query.items() if name != "page_token"}
    fingerprint = _fingerprint(request.path, kept, whose)
    if "page_token" in query:
        after = _last_key(query["page_token"], fingerprint)
        rows = rows.filter(pk__lt=after) if backwards else rows.filter(pk__gt=after)
    found = list(rows.order_by("-pk" if backwards else "pk")[: size + 1])
    links = {"first": kept}
    if len(found) > size:
        found.pop()
        links["next"] = kept | {"page_token": signing.dumps([str(found[-1].pk), fingerprint], salt=SALT)}
    shown = (f'<{request.path}?{urlencode(link | {"page_size": size})}>; rel="{name}"' for name, link in links.items())
    return found, {"Link": ",".join(shown)}


def _fingerprint(path: str, filters: Mapping[str, Any], whose: str) -> str:
    """Bind a page token to its list, its filters and its caller: taken elsewhere it opens nothing."""
    filters = {name: value for name, value in filters.items() if name != "page_size"}
    return hashlib.sha256(json.dumps([path, filters, whose], sort_keys=True).encode()).hexdigest()[:32]


def _last_key(token: str, fingerprint: str) -> str:
    """Return the key of the last row of the page before. Raises InvalidRequest."""
    try:
        after, signed_for = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        raise InvalidRequest("page_token has expired or is invalid. Start again at the first page.") from None
    if signed_for != fingerprint:
        raise InvalidRequest("page_token belongs to another list. Keep the filters of the first page.")
    return str(after)
