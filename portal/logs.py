"""Log lines that cannot be forged, say which request they belong to, and hold no secret."""

import logging
import re
from contextvars import ContextVar

current_request: ContextVar[str] = ContextVar("current_request", default="-")

SECRETS = [
    (re.compile(r"\b(cd[a-z]{1,4}_)[\w-]{6,}"), r"\1…"),  # client secrets, and tokens of every kind
    (re.compile(r"((?:/|%2F)invitations(?:/|%2F))[\w-]{20,}"), r"\1…"),  # invitation links, also as ?next=
    (re.compile(r"\b(ey[\w-]{8,}\.ey[\w-]{8,})\.[\w-]+"), r"\1.…"),  # a JWT without its signature is worth nothing
]


# Line ends, terminal escapes and characters that turn the reading direction.
UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
TRACEBACK = logging.Formatter()
# Bad requests, such as for a host that is not ours: no fault, and anybody can send thousands, so a line is enough.
REFUSALS = "django.security"


def _without_secrets(text: str) -> str:
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text


def _escaped(text: str) -> str:
    return UNSAFE.sub(lambda found: ascii(found[0])[1:-1], text)


class Safe(logging.Filter):
    """Write each record on one line, a traceback indented below it, without secrets, with its request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _escaped(_without_secrets(record.getMessage())), None
        if record.name.startswith(REFUSALS):
            record.exc_info = None
        if record.exc_info:
            lines = _without_secrets(TRACEBACK.formatException(record.exc_info)).split("\n")
            record.exc_text = "\n".join(f"  {_escaped(line)}" for line in lines)
        record.request_id = current_request.get()
        return True
