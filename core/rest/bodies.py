"""The JSON bodies of requests."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.request import UnreadablePostError

from core import foreign_json
from core.foreign_json import MAX_DEPTH, Fault, InvalidJSON
from core.rest.errors import InvalidRequest, TooLarge, UnsupportedMediaType

MAX_BYTES = 64 * 1024
_FAULTS = {
    Fault.SYNTAX: "The body cannot be read as JSON in UTF-8.",
    Fault.DUPLICATE: "The JSON body has a duplicate member.",
    Fault.CONSTANT: "NaN and Infinity are no JSON.",
    Fault.NUMBER: "A number is too large.",
    Fault.CHARACTER: "Leave out the character U+0000 and halves of surrogate pairs.",
    Fault.DEPTH: f"Nest at most {MAX_DEPTH} levels deep.",
}


def read_json(request: HttpRequest, media_types: tuple[str, ...] = ("application/json",)) -> Any:
    """Return the body. Raises InvalidRequest, TooLarge and UnsupportedMediaType."""
    if request.content_type not in media_types:
        raise UnsupportedMediaType(f"Send the body as {media_types[0]}.")
    try:
        return foreign_json.loads(request.body, max_bytes=MAX_BYTES, integers=True)
    except RequestDataTooBig:
        raise _too_large() from None
    except UnreadablePostError:
        raise InvalidRequest("The body ended before it was complete.") from None
    except InvalidJSON as error:
        raise _too_large() if error.fault is Fault.TOO_LARGE else InvalidRequest(_FAULTS[error.fault]) from None


def _too_large() -> TooLarge:
    return TooLarge(f"Send at most {MAX_BYTES:,} bytes.")
