"""What an initial access token lets programs register."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from clients.forms.base import OnceForm
from clients.models import Scope
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from consumers.models import Consumer

LIFETIMES = {"1": "Tomorrow", "7": "In a week", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}
USES = {"1": "Once", "10": "10 times", "100": "100 times", "any": "As often as needed"}
CLIENT_DAYS = {"never": "When somebody deletes them", "7": "After a week", "30": "After 30 days", "90": "After 90 days"}
KINDS = {
    "any": ("Anything that this workspace may", ()),
    "service": ("Act for themselves, as services do", (GrantType.CLIENT_CREDENTIALS,)),
    "sign_in": ("Sign people in", (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)),
    "device": ("Sign people in on devices without a browser", (GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN)),
}


class InitialTokenForm(OnceForm):
    """Who registers with the token, how often and until when, and what comes of it."""

    name = forms.CharField(
        max_length=60,
        help_text="Who will use it, such as “Nightly builds”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Name the token by who will use it."},
    )
    uses = forms.ChoiceField(label="How often may it be used?", choices=list(USES.items()), initial="1")
    lifetime = forms.ChoiceField(label="When does it end?", choices=list(LIFETIMES.items()), initial="7")
    kind = forms.ChoiceField(
        label="What may the clients do?",
        choices=[(value, words) for value, (words, _) in KINDS.items()],
    )
    client_days = forms.ChoiceField(
        label="When do the clients end?",
        choices=list(CLIENT_DAYS.items()),
        help_text="Those that are registered with this token. Ended clients get no tokens, and are deleted later.",
    )
    scopes = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, consumer: Consumer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allowed = list(Scope.objects.filter(access__consumer=consumer).select_related("api"))
        self.fields["scopes"].choices = [(scope.value, scope.name) for scope in self.allowed]  # type: ignore[attr-defined]

    @property
    def offers(self) -> list[tuple[Scope, bool]]:
        chosen = set(self["scopes"].value() or [])
        return [(scope, scope.value in chosen) for scope in self.allowed]

    @property
    def limits(self) -> dict[str, Any]:
        """Return what the action takes, as it was chosen."""
        typed = self.cleaned_data
        # Who signs people in may learn who they are; that is no API's permission.
        identity = IDENTITY_SCOPES if typed["scopes"] and typed["kind"] != "service" else ()
        return {
            "uses": None if typed["uses"] == "any" else int(typed["uses"]),
            "grant_types": KINDS[typed["kind"]][1],
            "scopes": [*identity, *typed["scopes"]],
            "client_days": None if typed["client_days"] == "never" else int(typed["client_days"]),
        }

    @property
    def expires_at(self) -> datetime:
        return timezone.now() + timedelta(days=int(self.cleaned_data["lifetime"]))
