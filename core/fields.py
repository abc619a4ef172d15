"""Form fields of the operators' pages: checkboxes in groups, and JSON that survives whatever is pasted."""

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.fields import InvalidJSONInput
from django.forms.models import ModelChoiceIterator


class GroupedChecks(forms.CheckboxSelectMultiple):
    """Checkboxes under headings, each with its words beside it."""

    template_name = "admin/widgets/checks.html"


class GroupedIterator(ModelChoiceIterator):  # type: ignore[type-arg]
    """The choices in groups, in the order of the queryset."""

    def __iter__(self) -> Iterator[Any]:
        for name, things in groupby(self.queryset, key=self.field.group_of):  # type: ignore[attr-defined]
            yield name, [self.choice(thing) for thing in things]


class GroupedChoices(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Any of a queryset's rows. `group_of` and `words` tell a row's heading and its words."""

    widget = GroupedChecks
    iterator = GroupedIterator

    def __init__(
        self, *, group_of: Callable[[Any], str], words: Callable[[Any], str], empty: str = "", **options: Any
    ) -> None:
        self.group_of = group_of
        self.words = words
        super().__init__(required=False, **options)
        self.widget.attrs["empty"] = empty

    def label_from_instance(self, obj: Model) -> str:
        return self.words(obj)


class JSONField(forms.JSONField):
    """JSON, shown indented; what Python's parser gives up on is a mistake in the form, not in the server."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, InvalidJSONInput):
            return value
        if value is None:
            return ""
        return json.dumps(value, indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        try:
            parsed = super().to_python(value)
        except (ValueError, RecursionError):  # a number of 5,000 digits, 10,000 brackets
            raise ValidationError("This is no JSON that can be read.") from None
        return {} if parsed is None else parsed

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show again what was typed, to the letter."""
        return InvalidJSONInput(data)
