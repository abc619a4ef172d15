"""What is read from files and from standard input: text in UTF-8, and JSON as RFC 8259 has it."""

import json
import sys
from collections.abc import Callable
from typing import Any

from clientdesk.problems import USAGE, Problem

STANDARD_INPUT = "Standard input"


def read_input(source: str) -> str:
    """Return a file's text, or what comes by standard input for `-`."""
    if source == "-":
        return typed(sys.stdin.read)
    try:
        with open(source, encoding="utf-8-sig") as file:
            return file.read()
    except OSError as error:
        raise Problem(f"{source} can't be read: {error.strerror}.", USAGE) from None
    except UnicodeDecodeError:
        raise Problem(f"{source} is no text in UTF-8.", USAGE) from None


def read_line() -> str:
    """Return the first line of standard input."""
    return typed(sys.stdin.readline).strip()


def typed(read: Callable[[], str]) -> str:
    """Return what comes by standard input; where Python let odd bytes through, they are halves of surrogate pairs."""
    try:
        text = read()
        text.encode()
    except UnicodeError:
        raise Problem(f"{STANDARD_INPUT} is no text in UTF-8.", USAGE) from None
    return text.removeprefix("\ufeff")


def read_document(source: str) -> Any:
    """Return the JSON in a file, or on standard input for `-`."""
    return parse(read_input(source), named(source))


def read_option(text: str, where: str) -> Any:
    """Return the JSON of an option, or of the file that `@` names there."""
    return read_document(text[1:]) if text.startswith("@") else parse(text, where)


def parse(text: str, where: str) -> Any:
    """Return JSON; what could not be sent on as JSON is refused here, where we know who said it."""
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        raise Problem(f"{where} is nested too deeply.", USAGE) from None
    except json.JSONDecodeError as error:
        raise Problem(f"{where} is not JSON: {error}.", USAGE) from None
    except ValueError:
        sentence = "holds a number or a character that JSON has not, such as NaN or half of a surrogate pair."
        raise Problem(f"{where} {sentence}", USAGE) from None
    return value


def named(source: str) -> str:
    return STANDARD_INPUT if source == "-" else source
