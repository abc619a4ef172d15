"""Validation by JSON Schema, with the schemas that also stand in the API's description."""

from collections.abc import Callable, Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

from core.errors import Refusal
from core.rest.errors import InvalidRequest
from core.timefmt import parse_moment

Schema = Mapping[str, Any]
Kind = ValidationErrorKind
TYPE_NAMES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
LONGEST = 60  # characters of a name that we repeat
# By the schema's identity. Schemas are constants of their modules, so that they are few and stay.
_validators: dict[int, tuple[Schema, Draft202012Validator]] = {}


def validate(value: Any, schema: Schema, refusal: type[Refusal] = InvalidRequest, at: str = "") -> None:
    """Raise the refusal, with the name of the member that it is about, unless the schema allows the value."""
    error = next(_validator(schema).iter_errors(value), None)
    if error is not None:
        path = [*([at] if at else []), *error.instance_path]
        name = error.kind.property if isinstance(error.kind, Kind.Required) else None
        field = next((str(part) for part in [*path, name] if part is not None), None)
        raise refusal(f"{_where(path)}: {_message(error)}", field=field)


def _validator(schema: Schema) -> Draft202012Validator:
    if id(schema) not in _validators:
        made = Draft202012Validator(dict(schema), validate_formats=True, formats={"date-time": _is_moment})
        _validators[id(schema)] = (schema, made)
    return _validators[id(schema)][1]


def _where(path: list[str | int]) -> str:
    """Return the place as people write it: “members[2].email”."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{_shown(part)}" for part in path]
    return "".join(parts).lstrip(".") or "The body"


def _shown(name: str) -> str:
    """Return a name that the caller chose, without what a terminal or log would obey."""
    return ascii(name[:LONGEST])[1:-1]


def _message(error: ValidationError) -> str:
    """Say what to do."""
    if isinstance(error.kind, Kind.Format):
        return _fault_of(str(error.instance))
    message = MESSAGES.get(error.kind.name)
    return message(error.kind) if message else f"{error.message}."


def _in_words(types: list[str]) -> str:
    return " or ".join(TYPE_NAMES[name] for name in sorted(types, key=list(TYPE_NAMES).index))


def _one_of(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


MESSAGES: dict[str, Callable[[Any], str]] = {
    "type": lambda kind: f"write {_in_words(kind.types)}.",
    "enum": lambda kind: f"use {_one_of([str(each) for each in kind.options if each not in (None, '')])}.",
    "required": lambda kind: f"{kind.property} is missing.",
    "additionalProperties": lambda kind: (
        f"{_shown(min(kind.unexpected))} is not known here. Check its spelling, or leave it out."
    ),
    "minimum": lambda kind: f"use {kind.limit:,} or more.",
    "maximum": lambda kind: f"use {kind.limit:,} or less.",
    "maxItems": lambda kind: f"name at most {kind.limit:,}.",
    "maxLength": lambda kind: f"shorten it to {kind.limit:,} characters.",
    "minLength": lambda _: "it is too short.",
}


def _is_moment(text: str) -> bool:
    return not _fault_of(text)


def _fault_of(text: str) -> str:
    """Return what is wrong with a date-time; nothing when it is right."""
    try:
        parse_moment(text)
    except ValueError as fault:
        return str(fault)
    return ""
