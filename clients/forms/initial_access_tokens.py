"""The form that creates an initial access token."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from clients.forms.base import IdempotentForm
from clients.models import InitialAccessToken, Scope
from clients.vocabulary import IDENTITY_SCOPES, GrantType
from consumers.models import Consumer
from core.limits import longest

LIFETIMES = {"1": "Tomorrow", "7": "In a week", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}
USES = {"1": "Once", "10": "10 times", "100": "100 times", "any": "As often as needed"}
CLIENT_DAYS = {"never": "Never", "7": "After a week", "30": "After 30 days", "90": "After 90 days"}
REGISTRABLE = {
    "any": ("All grant types of this workspace", ()),
    "service": ("Client credentials (machine-to-machine)", (GrantType.CLIENT_CREDENTIALS,)),
    "sign_in": ("Sign in users", (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN)),
    "device": ("Device authorization", (GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN)),
}


class InitialAccessTokenForm(IdempotentForm):
    """Name, uses and expiry of the token, and limits of the clients that register with it."""

    name = forms.CharField(
        max_length=longest(InitialAccessToken, "name"),
        help_text="Who will use it, such as “Nightly builds”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter a name for the token."},
    )
    max_uses = forms.ChoiceField(label="Maximum uses", choices=list(USES.items()), initial="1")
    lifetime = forms.ChoiceField(label="When does it expire?", choices=list(LIFETIMES.items()), initial="7")
    kind = forms.ChoiceField(
        label="Allowed grant type",
        choices=[(value, words) for value, (words, _) in REGISTRABLE.items()],
    )
    client_lifetime_days = forms.ChoiceField(
        label="When do the clients expire?",
        choices=list(CLIENT_DAYS.items()),
        help_text="Clients registered with this token. Expired clients get no tokens, and are deleted later.",
    )
    scopes = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, consumer: Consumer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allowed = list(Scope.objects.granted_to(consumer).select_related("api"))
        self.fields["scopes"].choices = [(scope.value, scope.name) for scope in self.allowed]  # type: ignore[attr-defined]

    @property
    def offers(self) -> list[tuple[Scope, bool]]:
        chosen = set(self["scopes"].value() or [])
        return [(scope, scope.value in chosen) for scope in self.allowed]

    @property
    def limits(self) -> dict[str, Any]:
        """Return the limits as arguments of the action."""
        entered = self.cleaned_data
        # Clients that sign users in may have the scopes of OpenID Connect, which belong to no API.
        identity = IDENTITY_SCOPES if entered["scopes"] and entered["kind"] != "service" else ()
        return {
            "max_uses": None if entered["max_uses"] == "any" else int(entered["max_uses"]),
            "grant_types": REGISTRABLE[entered["kind"]][1],
            "scopes": [*identity, *entered["scopes"]],
            "client_lifetime_days": None
            if entered["client_lifetime_days"] == "never"
            else int(entered["client_lifetime_days"]),
        }

    @property
    def expires_at(self) -> datetime:
        return timezone.now() + timedelta(days=int(self.cleaned_data["lifetime"]))
