"""What the forms share."""

from typing import Any, NamedTuple

from django import forms

from core.idempotency import new_key


class Choice(NamedTuple):
    """One of few, as a page offers it."""

    value: str
    title: str
    text: str
    icon: str = ""


class Form(forms.Form):
    """A form whose errors are ours alone, so that a browser's bubbles do not stand before them."""

    use_required_attribute = False


class OnceForm(Form):
    """A form that is carried out once, however often it is sent."""

    key = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}), max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].initial = new_key()


class RuledField(forms.CharField):
    """A text whose emptiness and length the policy judges, together with everything else."""

    def validate(self, value: Any) -> None:
        pass


class RuledChoiceField(forms.ChoiceField):
    """A choice whose absence the policy judges."""

    def validate(self, value: Any) -> None:
        if value:
            super().validate(value)


class LinesField(RuledField):
    """Several values, one on each line."""

    widget = forms.Textarea(
        attrs={"rows": 3, "class": "mono", "spellcheck": "false", "autocapitalize": "off", "autocomplete": "off"}
    )

    def clean(self, value: Any) -> tuple[str, ...]:
        return tuple(line.strip() for line in super().clean(value).splitlines() if line.strip())

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, (tuple, list)) else value
