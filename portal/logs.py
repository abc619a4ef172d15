"""Log lines that cannot be forged, name their request, and hold no secret."""

import logging
import re
from contextvars import ContextVar

from core.text import replace_unsafe

current_request: ContextVar[str] = ContextVar("current_request", default="-")

REDACTIONS = [
    (re.compile(r"\b(cd[a-z]{1,4}_)[\w-]{6,}"), r"\1…"),  # client secrets, and tokens of every kind
    (re.compile(r"((?:/|%2F)invitations(?:/|%2F))[\w-]{20,}"), r"\1…"),  # invitation links, also as ?next=
    (re.compile(r"\b(ey[\w-]{8,}\.ey[\w-]{8,})\.[\w-]+"), r"\1.…"),  # a JWT without its signature is worth nothing
]


TRACEBACK = logging.Formatter()
# Bad requests, such as for a host that is not ours: no fault, and anybody can send thousands, so a line is enough.
REFUSALS = "django.security"


def _redact(text: str) -> str:
    for pattern, replacement in REDACTIONS:
        text = pattern.sub(replacement, text)
    return text


def _escape(text: str) -> str:
    return replace_unsafe(text, lambda character: ascii(character)[1:-1])


class RedactingFilter(logging.Filter):
    """Write each record on one line, a traceback indented below it, without secrets, with its request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _escape(_redact(record.getMessage())), None
        if record.name.startswith(REFUSALS):
            record.exc_info = None
        if record.exc_info:
            lines = _redact(TRACEBACK.formatException(record.exc_info)).split("\n")
            record.exc_text = "\n".join(f"  {_escape(line)}" for line in lines)
        record.request_id = current_request.get()
        return True
