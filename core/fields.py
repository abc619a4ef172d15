"""Form fields of the operators' pages: grouped checkboxes, and JSON of any shape."""

import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.fields import InvalidJSONInput
from django.forms.models import ModelChoiceIterator

from core import foreign_json
from core.foreign_json import Fault


class GroupedCheckboxes(forms.CheckboxSelectMultiple):
    """Checkboxes under headings."""

    template_name = "admin/widgets/checks.html"


class GroupedChoiceIterator(ModelChoiceIterator):  # type: ignore[type-arg]
    """The choices in groups, in the order of the queryset."""

    def __iter__(self) -> Iterator[Any]:
        for name, rows in groupby(self.queryset, key=self.field.group_of):  # type: ignore[attr-defined]
            yield name, [self.choice(row) for row in rows]


class GroupedMultipleChoiceField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Any of a queryset's rows. `group_of` returns the heading of a row, `label_of` its label."""

    widget = GroupedCheckboxes
    iterator = GroupedChoiceIterator

    def __init__(
        self, *, group_of: Callable[[Any], str], label_of: Callable[[Any], str], empty: str = "", **options: Any
    ) -> None:
        self.group_of = group_of
        self.label_of = label_of
        super().__init__(required=False, **options)
        self.widget.attrs["empty"] = empty

    def label_from_instance(self, obj: Model) -> str:
        return self.label_of(obj)


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
            if isinstance(value, str) and value:
                foreign_json.loads(value, max_bytes=4 * len(value))
        except foreign_json.InvalidJSON as error:
            if error.fault is not Fault.SYNTAX:
                raise ValidationError(
                    "Use plain JSON: each member once, finite numbers, characters that can be stored, and at most "
                    f"{foreign_json.MAX_DEPTH} levels."
                ) from None
        try:
            parsed = super().to_python(value)
        except (ValueError, RecursionError):  # a number of 5,000 digits, 10,000 brackets
            raise ValidationError("Invalid JSON.") from None
        return {} if parsed is None else parsed

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is stored: nothing is an empty object."""
        return super().has_changed({} if initial is None else initial, data)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Show again what was typed, to the letter."""
        return InvalidJSONInput(data)
