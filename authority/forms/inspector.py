"""The inspector's form."""

from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator

from authority.diagnostics.inspector.parsing import MAX_LENGTH
from authority.diagnostics.inspector.report import Viewer
from clients.forms.base import Form
from clients.models import Api

TOO_MUCH = f"Paste at most {MAX_LENGTH // 1024} KB: the token alone, or the lines around the error."


class InspectForm(Form):
    """Anything that can be pasted; it is stored nowhere."""

    pasted = forms.CharField(
        label="Token or error",
        # No max_length: it would let browsers cut a token off without a word.
        validators=[MaxLengthValidator(MAX_LENGTH, TOO_MUCH)],
        help_text=(
            "A token, the JSON of an error, a WWW-Authenticate header, a URL with error=, or what curl -v showed. "
            "Nothing is stored."
        ),
        error_messages={"required": "Paste a token or an error first."},
        widget=forms.Textarea(
            attrs={
                "rows": 6,
                "class": "mono vLargeTextField",
                "spellcheck": "false",
                "autocomplete": "off",
                "autocapitalize": "off",
            }
        ),
    )
    api = forms.ModelChoiceField(
        queryset=Api.objects.none(),
        required=False,
        label="API that you call",
        empty_label="No particular one",
        help_text="Choose it, and we say whether the token is for it.",
    )

    def __init__(self, *args: Any, viewer: Viewer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = Api.objects.filter(pk__in=[api.pk for api in viewer.apis])
        self.fields["api"].queryset = known  # type: ignore[attr-defined]
