"""How a value stands in a program."""

import json
import re
from shlex import quote

from django import template

register = template.Library()


@register.filter
def shell(value: str) -> str:
    """Return the value as one word of a POSIX shell."""
    return quote(value)


# Words that YAML reads as something else than a text.
WORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}


@register.filter
def yaml(value: str) -> str:
    """Return the value as one scalar of YAML that is a text, bare where it can be."""
    bare = re.fullmatch(r"[A-Za-z][\w/.-]*", value, re.ASCII) and value.lower() not in WORDS
    return value if bare else json.dumps(value)


@register.filter
def literal(value: object) -> str:
    """Return the value as Python and JavaScript both read it."""
    return json.dumps(value)
