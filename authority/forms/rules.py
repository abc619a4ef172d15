"""The form that tests trust rules with a token."""

from django import forms

from clients.forms.base import Form


class RuleTestForm(Form):
    """A token of a platform, to test trust rules with."""

    token = forms.CharField(
        label="Token",
        strip=True,
        max_length=20_000,
        help_text="A JWT as the platform issued it. It is checked here, and not stored.",
        widget=forms.Textarea(attrs={"class": "mono", "rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Paste a token of the platform.", "max_length": "This is too long for a token."},
    )
