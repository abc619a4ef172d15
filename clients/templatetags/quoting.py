"""How a value stands in a program."""

import json
from shlex import quote

from django import template

register = template.Library()


@register.filter
def shell(value: str) -> str:
    """Return the value as one word of a POSIX shell."""
    return quote(value)


@register.filter
def literal(value: object) -> str:
    """Return the value as Python and JavaScript both read it."""
    return json.dumps(value)
