"""The limits of model fields, for everything else that must know them: forms, schemas, rules and sentences.

Each limit has one definition, which is the field's: its length, or its validators.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Field, Model


def longest(model: type[Model], name: str) -> int:
    """Return how many characters the field takes, each entry's where it is a list."""
    field = _field(model, name)
    length = field.base_field.max_length if isinstance(field, ArrayField) else field.max_length
    assert length is not None, f"{model.__name__}.{name} has no length"
    return length


def numbers(model: type[Model], name: str) -> tuple[int, int]:
    """Return the least and the largest number that the field takes."""
    validators = _field(model, name).validators
    least: list[Any] = [each.limit_value for each in validators if isinstance(each, MinValueValidator)]
    largest: list[Any] = [each.limit_value for each in validators if isinstance(each, MaxValueValidator)]
    return max(least), min(largest)


def length_schema(model: type[Model], name: str) -> dict[str, int]:
    """Return the longest length, as JSON Schema says it."""
    return {"maxLength": longest(model, name)}


def number_schema(model: type[Model], name: str) -> dict[str, int]:
    """Return the limits of a number, as JSON Schema says them."""
    least, largest = numbers(model, name)
    return {"minimum": least, "maximum": largest}


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    return field
