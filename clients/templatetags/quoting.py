"""Filters that quote a value for a shell, YAML, Python and JavaScript."""

import json
import re
from shlex import quote

from django import template

register = template.Library()


@register.filter
def shell(value: str) -> str:
    """Return the value as one word of a POSIX shell."""
    return quote(value)


# Plain scalars that YAML does not read as strings.
RESERVED = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}


@register.filter
def yaml(value: str) -> str:
    """Return the value as a YAML string, unquoted where it can be."""
    plain = re.fullmatch(r"[A-Za-z][\w/.-]*", value, re.ASCII) and value.lower() not in RESERVED
    return value if plain else json.dumps(value)


@register.filter
def literal(value: object) -> str:
    """Return the value as a string literal of Python and JavaScript."""
    return json.dumps(value)
