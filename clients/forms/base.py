"""Base classes of the forms, and fields."""

from typing import Any, NamedTuple

from django import forms

from core.idempotency import new_idempotency_key


class Option(NamedTuple):
    """An option of a choice, as a page shows it."""

    value: str
    title: str
    text: str
    icon: str = ""


class Form(forms.Form):
    """A form that the server alone validates, so that browsers show no messages of their own."""

    use_required_attribute = False


class IdempotentForm(Form):
    """A form whose action runs once, however often it is submitted (core/idempotency.py)."""

    key = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}), max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = new_idempotency_key()


class PolicyField(forms.CharField):
    """A text whose presence and length the policy checks."""

    def validate(self, value: Any) -> None:
        pass


class PolicyChoiceField(forms.ChoiceField):
    """A choice whose presence the policy checks."""

    def validate(self, value: Any) -> None:
        if value:
            super().validate(value)


class LinesField(PolicyField):
    """Several values, one per line."""

    widget = forms.Textarea(
        attrs={"rows": 3, "class": "mono", "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
    )

    def clean(self, value: Any) -> tuple[str, ...]:
        return tuple(line.strip() for line in super().clean(value).splitlines() if line.strip())

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, (tuple, list)) else value
