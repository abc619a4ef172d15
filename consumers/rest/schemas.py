"""Is a value what its JSON Schema says? The same schema stands in the API's description, so the two never differ.

The words of the schema that are judged: type, enum, properties, required, patternProperties, additionalProperties,
items, maxItems, minLength, maxLength, minimum, maximum, and the format date-time. Everything else describes.
"""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from consumers.errors import Refusal
from consumers.rest.errors import InvalidRequest

Schema = Mapping[str, Any]
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
WORDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def check(value: Any, schema: Schema, refusal: type[Refusal] = InvalidRequest, at: str = "") -> None:
    """Raise the refusal, with the name of the member that it is about, unless the schema allows the value."""

    def refuse(what: str) -> None:
        raise refusal(f"{at or 'The body'}: {what}", field=at.partition(".")[0].partition("[")[0] or None)

    if (types := as_list(schema.get("type"))) and not any(is_a(value, name) for name in types):
        refuse(f"write {' or '.join(WORDS[name] for name in types)}.")
    if "enum" in schema and value not in schema["enum"]:
        refuse(f"use {', '.join(str(each) for each in schema['enum'] if each is not None)}.")
    if isinstance(value, str):
        check_text(value, schema, refuse)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            refuse(f"use a number from {schema.get('minimum', '')} to {schema.get('maximum', '')}.")
    elif isinstance(value, list):
        if len(value) > schema.get("maxItems", len(value)):
            refuse(f"name at most {schema['maxItems']}.")
        for index, item in enumerate(value):
            check(item, schema.get("items", {}), refusal, f"{at}[{index}]")
    elif isinstance(value, dict):
        check_members(value, schema, refusal, at)


def check_text(value: str, schema: Schema, refuse: Any) -> None:
    if len(value) > schema.get("maxLength", len(value)):
        refuse(f"shorten it to {schema['maxLength']:,} characters.")
    if len(value) < schema.get("minLength", 0):
        refuse("it may not be empty.")
    if value and schema.get("format") == "date-time" and moment(value) is None:
        refuse("write a moment with its offset, such as 2027-01-31T12:00:00Z.")


def check_members(value: dict[str, Any], schema: Schema, refusal: type[Refusal], at: str) -> None:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    prefix = f"{at}." if at else ""
    for name in schema.get("required", ()):
        if name not in value:
            raise refusal(f"{prefix}{name} is missing.", field=name)
    for name, member in value.items():
        if name in properties:
            check(member, properties[name], refusal, f"{prefix}{name}")
        elif schema_of := matching(schema.get("patternProperties", {}), name):
            check(member, schema_of, refusal, name)
        elif others is False:
            shown = ascii(name[:60])[1:-1]
            raise refusal(f"{prefix}{shown} is not known here. Check its spelling, or leave it out.", field=None)
        elif isinstance(others, Mapping):
            check(member, others, refusal, f"{prefix}{ascii(name[:60])[1:-1]}")


def matching(patterns: Mapping[str, Schema], name: str) -> Schema | None:
    return next((schema for pattern, schema in patterns.items() if re.search(pattern, name)), None)


def is_a(value: Any, name: str) -> bool:
    """Say whether the value has the JSON type; true is no number, and 1.0 is a whole one (RFC 8259 section 6)."""
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def as_list(types: Any) -> list[str]:
    return [types] if isinstance(types, str) else list(types or ())


def moment(text: str) -> Any:
    """Return the moment, or None for anything without an offset."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
