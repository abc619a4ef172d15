"""Forms that create and rotate a secret."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from clients.actions.secrets import End
from clients.forms.base import IdempotentForm, Option
from clients.models import ClientSecret
from core.limits import longest
from core.timefmt import date_time

LIFETIMES = {"never": "Never expires", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}


class SecretForm(IdempotentForm):
    """Name and expiry of a new secret."""

    name = forms.CharField(
        required=False,
        max_length=longest(ClientSecret, "name"),
        help_text="Where it will be used, such as “Production” or “Staging”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    lifetime = forms.ChoiceField(
        label="When does it expire?", choices=list(LIFETIMES.items()), help_text="Home reminds you two weeks before."
    )

    def __init__(self, *args: Any, longest: int | None, **kwargs: Any) -> None:
        """Offer lifetimes up to `longest` days, where an operator set a limit."""
        super().__init__(*args, **kwargs)
        if longest is not None:
            shorter = {days: words for days, words in LIFETIMES.items() if days.isdigit() and int(days) < longest}
            offered = {str(longest): f"In {longest} days, the longest that is allowed"} | shorter
            self.fields["lifetime"].choices = list(offered.items())  # type: ignore[attr-defined]

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["lifetime"]
        return None if days == "never" else timezone.now() + timedelta(days=int(days))


class RotateForm(SecretForm):
    """The end of the old secret; at MAX_LIVE_SECRETS only at once is offered."""

    is_optional = True  # the date is required only where it is shown
    ends = forms.ChoiceField(
        label="When should the old secret expire?", error_messages={"required": "Choose when the old secret expires."}
    )
    date = forms.DateTimeField(
        label="Date and time",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    DELAYS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
    LATEST = timedelta(days=366)

    def __init__(self, *args: Any, only_at_once: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["name"]
        self.only_at_once = only_at_once
        self.fields["lifetime"].label = "When does the new secret expire?"
        self.fields["date"].help_text = f"In {timezone.get_current_timezone_name()}."
        self.fields["ends"].initial = "now" if only_at_once else "week"
        self.fields["ends"].choices = [(choice.value, choice.title) for choice in self.offers]  # type: ignore[attr-defined]

    @property
    def offers(self) -> list[Option]:
        now = timezone.now()
        at_once = Option(
            "now",
            "Immediately",
            "Requests that still use it fail immediately. Choose this if it has leaked.",
        )
        if self.only_at_once:
            return [at_once]
        moments = {name: date_time(now + delay) for name, delay in self.DELAYS.items()}
        return [
            Option("hour", "In an hour", f"{moments['hour']}. Enough for one program that you restart now."),
            Option("day", "In a day", f"{moments['day']}. Enough for programs that are deployed daily."),
            Option("week", "In a week", f"{moments['week']}. Recommended when several programs share it."),
            Option("date", "On a date", "You pick the day and the time."),
            Option(
                "first-use",
                "A day after the new one is first used",
                "The old one works until the new one is in use, and a day longer.",
            ),
            at_once,
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("ends") == "date" and not self.has_error("date"):
            date, now = cleaned.get("date"), timezone.now()
            if date is None:
                self.add_error("date", "Pick the day and the time.")
            elif not now < date <= now + self.LATEST:
                self.add_error("date", "Pick a moment between now and a year from now.")
        return cleaned

    @property
    def end(self) -> End:
        chosen = self.cleaned_data["ends"]
        if chosen == "first-use":
            return End(after_first_use=True)
        if chosen == "date":
            return End(at=self.cleaned_data["date"])
        return End(at=timezone.now() + self.DELAYS.get(chosen, timedelta()))
