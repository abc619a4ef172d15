"""JSON that programs send, read so that no two readers could understand it in two ways (RFC 8259, RFC 7493)."""

import json
import math
from typing import Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from core.rest.errors import InvalidRequest, TooLarge, UnsupportedMediaType

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20


def read_json(request: HttpRequest, media_types: tuple[str, ...] = ("application/json",)) -> Any:
    """Return the body. Raises InvalidRequest, TooLarge and UnsupportedMediaType."""
    if request.content_type not in media_types:
        raise UnsupportedMediaType(f"Send the body as {media_types[0]}.")
    try:
        raw = request.body
    except RequestDataTooBig:
        raise TooLarge(f"Send at most {MAX_BYTES:,} bytes.") from None
    except UnreadablePostError:
        raise InvalidRequest("The body ended before it was complete.") from None
    if len(raw) > MAX_BYTES:
        raise TooLarge(f"Send at most {MAX_BYTES:,} bytes.")
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=number)
    except (ValueError, RecursionError):  # also for bad UTF-8 and numbers of thousands of digits
        raise InvalidRequest("The body cannot be read as JSON in UTF-8.") from None
    _require_plain(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: readers differ over which one counts (RFC 7493 section 2.3)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidRequest("A member of the JSON body stands there twice.")
    return found


def number(text: str) -> float:
    """Read 1.0 as the whole number that it is in JSON (RFC 8259 section 6), where readers agree on it."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _no_constant(name: str) -> NoReturn:
    raise InvalidRequest(f"{name} is no JSON.")


def _require_plain(value: Any, depth: int = 0) -> None:
    """Refuse what the database cannot hold or no reader expects: NUL, lone surrogates, infinity, deep nesting."""
    if depth > MAX_DEPTH:
        raise InvalidRequest(f"Nest at most {MAX_DEPTH} levels deep.")
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidRequest("Leave out the character U+0000 and halves of surrogate pairs.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidRequest("A number is too large.")
    elif isinstance(value, dict):
        for name, member in value.items():
            _require_plain(name, depth)
            _require_plain(member, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _require_plain(item, depth + 1)
