"""The form that asks for an identity token."""

from typing import Any

from django import forms

from clients.forms.base import Form


class IdentityTokenForm(Form):
    """The audience of an identity token, one of the client's."""

    audience = forms.ChoiceField(
        label="Audience",
        error_messages={"invalid_choice": "“%(value)s” is not on this client’s list. Add it in Settings first."},
    )

    def __init__(self, *args: Any, audiences: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["audience"].choices = [(value, value) for value in audiences]  # type: ignore[attr-defined]
