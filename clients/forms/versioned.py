"""Forms with optimistic locking."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clients.forms.base import Form
from clients.metadata import ClientMetadata
from clients.models import Client


class VersionedForm(Form):
    """Changes of a client; `version` is when the client that the form shows was changed last."""

    version = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}), max_length=40)

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        """Return the base with the entered values."""
        raise NotImplementedError

    def entered_and_saved(self, saved: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Return the entered and the saved value of each field, in comparable types, by the fields' names."""
        raise NotImplementedError

    def differences(self, current: "VersionedForm") -> list[tuple[str, str]]:
        """Return label and saved value of the fields in which a concurrent change and the entered values differ."""
        return [
            (str(self.fields[name].label or name.capitalize()), display_value(saved))
            for name, (entered, saved) in self.entered_and_saved(current.initial).items()
            if entered != saved
        ]

    def rebase(self, client: Client) -> None:
        """Set `version` to the client's state now, so that the next submission overwrites it."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["version"] = client.updated.isoformat()
        self.data = data

    @property
    def version_time(self) -> datetime:
        """Return `version` as a time; an unreadable one is before every change."""
        try:
            version = parse_datetime(self.cleaned_data["version"])
        except ValueError:
            version = None
        return version if version and timezone.is_aware(version) else datetime.min.replace(tzinfo=UTC)


def display_value(value: Any) -> str:
    """Return a field's value as text."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (tuple, set)):
        return ", ".join(value)
    return "" if value is None else str(value)
