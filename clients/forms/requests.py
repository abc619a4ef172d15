"""Forms of those who ask for a workspace or a permission, and of who decides."""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone

from clients.actions import workspace_requests
from clients.models import PermissionRequest, WorkspaceRequest
from core.limits import longest

REASON = {"rows": 3}


class WorkspaceRequestForm(forms.Form):
    """What a stranger says. Nothing is taken from it before the address is confirmed."""

    organisation = forms.CharField(
        label="Organisation",
        max_length=longest(WorkspaceRequest, "organisation"),
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    name = forms.CharField(
        label="Your name",
        max_length=longest(WorkspaceRequest, "name"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="Email",
        max_length=longest(WorkspaceRequest, "email"),
        help_text="That of your work. We send a link to confirm it, and your request is sent when you open it.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    reason = forms.CharField(
        label="What do you want to build?",
        max_length=longest(WorkspaceRequest, "reason"),
        widget=forms.Textarea(attrs=REASON),
    )
    scopes = forms.MultipleChoiceField(required=False)
    code = forms.CharField(
        label="Code",
        required=False,
        max_length=100,
        help_text="If you were given one. Otherwise an operator looks at your request.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    terms = forms.BooleanField(error_messages={"required": "Accept the terms of use, or ask for nothing."})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = workspace_requests.offered_scopes()
        choices = [(scope.value, scope.name) for scope in self.offered]
        self.fields["scopes"].choices = choices  # type: ignore[attr-defined]
        if not settings.WORKSPACE_REQUEST_CODES:
            del self.fields["code"]
        if not settings.WORKSPACE_REQUEST_TERMS:
            del self.fields["terms"]

    @property
    def offers(self) -> list[tuple[str, str, str, bool]]:
        """Return value, name, API and whether it is chosen, of each scope."""
        chosen = set(self["scopes"].value() or [])
        return [(scope.value, scope.name, scope.api.name, scope.value in chosen) for scope in self.offered]


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label="Your answer", max_length=longest(PermissionRequest, "answer"), widget=forms.Textarea(attrs=REASON)
    )


class PermissionRequestForm(forms.Form):
    reason = forms.CharField(
        label="What is it for?",
        max_length=longest(PermissionRequest, "reason"),
        widget=forms.Textarea(attrs=REASON),
        help_text="Whoever decides reads this. It stands in the activity.",
    )


class DecisionForm(forms.Form):
    """What an operator says: a question, a sentence with the decline, or until when what is approved holds."""

    said = forms.CharField(required=False, max_length=longest(PermissionRequest, "question"))
    until = forms.DateField(required=False)
    slug = forms.SlugField(required=False, max_length=50)
    scopes = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, offered: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scopes"].choices = [(value, value) for value in offered or []]  # type: ignore[attr-defined]

    @property
    def expires_at(self) -> datetime | None:
        """Return the end of the day that was chosen, or None for good."""
        chosen: date | None = self.cleaned_data.get("until")
        return timezone.make_aware(datetime.combine(chosen, time.max)) if chosen else None
