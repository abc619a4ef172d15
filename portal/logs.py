"""Log lines that cannot be forged, say which request they belong to, and hold no secret."""

import logging
import re
from contextvars import ContextVar

current_request: ContextVar[str] = ContextVar("current_request", default="-")

SECRETS = [
    (re.compile(r"(cdsk_)[0-9A-Za-z]{6,}"), r"\1…"),  # client secrets
    (re.compile(r"((?:/|%2F)invitations(?:/|%2F))[\w-]{20,}"), r"\1…"),  # invitation links, also as ?next=
    (re.compile(r"\b(ey[\w-]{8,}\.ey[\w-]{8,})\.[\w-]+"), r"\1.…"),  # a JWT without its signature is worth nothing
]


class Safe(logging.Filter):
    """Write each record on one line, without secrets, with its request."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        for pattern, replacement in SECRETS:
            text = pattern.sub(replacement, text)
        record.msg, record.args = text, None
        record.request_id = current_request.get()
        return True
