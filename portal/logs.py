"""Log lines that cannot be forged, name their request, hold no secret, and are short whatever strangers send."""

import logging
import re
import string
from contextvars import ContextVar

from core.text import replace_unsafe

current_request: ContextVar[str] = ContextVar("current_request", default="-")

# Each reads a text once: it begins at a prefix, and nothing that follows makes it go back.
REDACTIONS = [
    (re.compile(r"\b(cd[a-z]{1,4}_)[\w-]{6,}"), r"\1…"),  # client secrets, and tokens of every kind
    (re.compile(r"((?:/|%2F)invitations(?:/|%2F))[\w-]{20,}"), r"\1…"),  # invitation links, also as ?next=
    # A JWT without its signature is worth nothing. Its second part tells it, and what follows is the signature.
    (re.compile(r"(\.ey[\w-]{8,}+)(?:\.[\w-]+)+"), r"\1.…"),
]
MAX_LENGTH = 1000  # characters of a message, and of each line of a traceback
MAX_LINES = 100  # of a traceback
LONGEST_REMNANT = 40  # characters, more than a secret that is cut off may show before a pattern above knows it
SECRETS_CHARACTERS = string.ascii_letters + string.digits + "_-"


TRACEBACK = logging.Formatter()
# Bad requests, such as for a host that is not ours: no fault, and anybody can send thousands, so a line is enough.
REFUSALS = "django.security"


def _redact(text: str) -> str:
    """Return the text cut to MAX_LENGTH, without secrets, and without half a secret where it was cut."""
    redacted = text[:MAX_LENGTH]
    for pattern, replacement in REDACTIONS:
        redacted = pattern.sub(replacement, redacted)
    if len(text) <= MAX_LENGTH:
        return redacted
    end = redacted[-LONGEST_REMNANT:].rstrip(SECRETS_CHARACTERS)
    return f"{redacted[:-LONGEST_REMNANT]}{end}… ({len(text):,} characters)"


def _escape(text: str) -> str:
    return replace_unsafe(text, lambda character: ascii(character)[1:-1])


def safe(text: str) -> str:
    """Return a text of a stranger's as a log may show it."""
    return _escape(_redact(text))


def _traceback(text: str) -> str:
    """Return a traceback indented, with its beginning and, where it is long, its end, which says most."""
    lines = text.split("\n")
    if len(lines) > MAX_LINES:
        lines = [*lines[: MAX_LINES // 4], f"… {len(lines) - MAX_LINES:,} lines …", *lines[-MAX_LINES * 3 // 4 :]]
    return "\n".join(f"  {_escape(_redact(line))}" for line in lines)


class RedactingFilter(logging.Filter):
    """Write each record on one line, a traceback indented below it, without secrets, with its request."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = safe(record.getMessage()), None
        if record.name.startswith(REFUSALS):
            record.exc_info = None
        if record.exc_info:
            record.exc_text = _traceback(TRACEBACK.formatException(record.exc_info))
        # Django logs how it answered a request when that has left the middleware, but says which it was.
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "id", None) or current_request.get()
        return True
