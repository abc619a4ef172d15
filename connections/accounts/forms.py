"""allauth's forms that mail something, which they do not to people who sign in by their identity provider alone."""

from allauth.account.forms import RequestLoginCodeForm as AllauthRequestLoginCodeForm
from allauth.account.forms import ResetPasswordForm as AllauthResetPasswordForm
from django import forms

from connections.models import Connection


def _refuse_required(email: str) -> None:
    """Refuse by the domain alone, so that nothing tells whether there is an account. Raises ValidationError."""
    connection = Connection.objects.required().of_address(email).first()
    if connection is not None:
        raise forms.ValidationError(f"People of your organisation sign in with {connection}. Go back and choose it.")


class RequestLoginCodeForm(AllauthRequestLoginCodeForm):
    def clean_email(self) -> str:
        _refuse_required(self.cleaned_data["email"])
        return str(super().clean_email())


class ResetPasswordForm(AllauthResetPasswordForm):
    def clean_email(self) -> str:
        _refuse_required(self.cleaned_data["email"])
        return str(super().clean_email())
