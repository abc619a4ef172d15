"""Forms of signing in."""

from django import forms

from consumers import policy
from consumers.models import normal_email
from core.errors import Refusal


class EmailForm(forms.Form):
    """The address, whose domain says how the person signs in."""

    email = forms.EmailField(max_length=254, label="Email address")

    def clean_email(self) -> str:
        email = normal_email(self.cleaned_data["email"])
        try:
            policy.email_address(email)
        except Refusal as refusal:
            raise forms.ValidationError(refusal.description) from None
        return email
