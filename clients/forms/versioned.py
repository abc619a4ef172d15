"""Forms of what somebody else may be changing at the same time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clients.forms.base import Form
from clients.metadata import ClientMetadata
from clients.models import Client


class VersionedForm(Form):
    """Changes of a client; `version` says which state of it the person saw."""

    version = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}), max_length=40)

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        """Return the base with what was typed."""
        raise NotImplementedError

    def compared(self, saved: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Return what this person typed and what is saved, of one type each, by the fields' names."""
        raise NotImplementedError

    def differences(self, theirs: "VersionedForm") -> list[tuple[str, str]]:
        """Return what somebody else saved where this person typed something else, by the fields' labels."""
        return [
            (str(self.fields[name].label or name.capitalize()), in_words(saved))
            for name, (typed, saved) in self.compared(theirs.initial).items()
            if typed != saved
        ]

    def overwrite(self, client: Client) -> None:
        """Let the next submission replace the state that the client has now."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["version"] = client.updated.isoformat()
        self.data = data

    @property
    def seen(self) -> datetime:
        """Return the state that the person saw; without a readable one, a time before every client."""
        try:
            seen = parse_datetime(self.cleaned_data["version"])
        except ValueError:
            seen = None
        return (
            seen if seen and timezone.is_aware(seen) else datetime.min.replace(tzinfo=timezone.get_current_timezone())
        )


def in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (tuple, set)):
        return ", ".join(value)
    return "" if value is None else str(value)
