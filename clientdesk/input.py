"""Read files and standard input: UTF-8 text, and JSON (RFC 8259)."""

import json
import sys
from collections.abc import Callable
from typing import Any

from clientdesk.errors import USAGE, CommandError

_STANDARD_INPUT = "Standard input"


def read_line() -> str:
    """Return the first line of standard input."""
    return _read_stdin(sys.stdin.readline).strip()


def read_json(source: str) -> Any:
    """Return the JSON in a file, or on standard input for `-`."""
    return parse_json(read_text(source), _STANDARD_INPUT if source == "-" else source)


def read_json_option(text: str, where: str) -> Any:
    """Return the JSON of an option, or of the file that it names after `@`."""
    return read_json(text[1:]) if text.startswith("@") else parse_json(text, where)


def parse_json(text: str, where: str) -> Any:
    """Return JSON. What could not be sent on as JSON is refused here, where `where` tells whose text it is."""
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        raise CommandError(f"{where} is nested too deeply.", USAGE) from None
    except json.JSONDecodeError as error:
        raise CommandError(f"{where} is not JSON: {error}.", USAGE) from None
    except ValueError:
        sentence = "holds a number or a character that JSON does not allow, such as NaN or a lone surrogate."
        raise CommandError(f"{where} {sentence}", USAGE) from None
    return value


def read_text(source: str) -> str:
    """Return the text of a file, or of standard input for `-`."""
    if source == "-":
        return _read_stdin(sys.stdin.read)
    try:
        with open(source, encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise CommandError(f"{source} can't be read: {error.strerror}.", USAGE) from None
    except UnicodeDecodeError:
        raise CommandError(f"{source} is not text in UTF-8.", USAGE) from None


def _read_stdin(read: Callable[[], str]) -> str:
    """Return what comes by standard input. Python reads bytes that are not UTF-8 as lone surrogates."""
    try:
        text = read()
        text.encode()
    except UnicodeError:
        raise CommandError(f"{_STANDARD_INPUT} is not text in UTF-8.", USAGE) from None
    return text.removeprefix("\ufeff")
