"""JSON that others wrote, read so that no two readers understand it in two ways (RFC 8259, RFC 7493 section 2)."""

import json
import math
import re
from enum import StrEnum
from typing import Any, NoReturn

MAX_DEPTH = 32
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")  # NUL, which PostgreSQL refuses, and halves of surrogate pairs


class Fault(StrEnum):
    """What is wrong with a text; each door has its own sentence for it."""

    TOO_LARGE = "too_large"
    SYNTAX = "syntax"  # also for bytes that are no UTF-8, integers of thousands of digits, brackets by the thousand
    DUPLICATE = "duplicate"  # a member stands there twice, and readers differ over which one counts
    CONSTANT = "constant"  # NaN, Infinity and -Infinity
    NUMBER = "number"  # beyond the range of double precision
    CHARACTER = "character"  # U+0000, or half of a surrogate pair
    DEPTH = "depth"


class InvalidJSON(ValueError):
    """The text is refused; `fault` says why, and the message repeats nothing of the text."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


def loads(text: bytes | str, *, max_bytes: int, integers: bool = False) -> Any:
    """Return the value of a JSON text in UTF-8. Raises InvalidJSON.

    Objects have each member once, numbers are finite, strings hold neither NUL nor half a surrogate pair, and
    containers are nested at most MAX_DEPTH deep. With `integers`, 1.0 is read as the integer that it is (RFC 8259
    section 6), where readers agree on it.
    """
    try:
        data = text.encode() if isinstance(text, str) else text
        if len(data) > max_bytes:
            raise InvalidJSON(Fault.TOO_LARGE)
        decoded = data.decode()
        value = (_INTEGRAL if integers else _EXACT).decode(decoded)
    except InvalidJSON:
        raise
    except (ValueError, RecursionError):
        raise InvalidJSON(Fault.SYNTAX) from None
    # Only an escape brings such a character in, and only brackets nest: most texts need no walk through their values.
    if "\\u" in decoded or decoded.count("[") + decoded.count("{") > MAX_DEPTH:
        _check(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidJSON(Fault.DUPLICATE)
    return found


def _no_constant(name: str) -> NoReturn:
    raise InvalidJSON(Fault.CONSTANT)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidJSON(Fault.NUMBER)
    return value


def _integral(text: str) -> float:
    value = _finite(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


_EXACT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
_INTEGRAL = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_integral)


def _check(value: Any) -> None:
    """Require strings that can be stored, and bearable nesting, level by level."""
    level, depth = [value], 0
    while level:
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                if _UNSTORABLE.search(each):
                    raise InvalidJSON(Fault.CHARACTER)
            elif isinstance(each, dict):
                below += [*each, *each.values(), None]  # None, so that an empty container counts as a level too
            elif isinstance(each, list):
                below += [*each, None]
        depth += bool(below)
        if depth > MAX_DEPTH:
            raise InvalidJSON(Fault.DEPTH)
        level = below
