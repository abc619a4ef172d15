"""What a test token shall say."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django import forms

from authority.tokens import test_tokens
from authority.tokens.test_tokens import Wanted
from clients.forms.base import Choice, OnceForm, RuledField
from clients.forms.clients import Permissions
from clients.models import Client
from clients.vocabulary import GrantType
from core.fields import JSONField

MONO = {"class": "mono", "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}
SHAPES = [
    Choice(
        GrantType.CLIENT_CREDENTIALS,
        "The client itself",
        "As from client_credentials: nobody is signed in, “sub” is the client.",
        "server",
    ),
    Choice(
        GrantType.AUTHORIZATION_CODE,
        "A person",
        "As from an authorization code: “sub” is the user ID that you type.",
        "users",
    ),
]


class TrialForm(OnceForm):
    """Everything but the client, which the page's address names."""

    grant_type = forms.ChoiceField(
        label="For whom does it speak?",
        choices=[(shape.value, shape.title) for shape in SHAPES],
        initial=GrantType.CLIENT_CREDENTIALS,
    )
    user_id = RuledField(
        label="User ID",
        required=False,
        help_text="Your own, or made up. For a person only.",
        widget=forms.TextInput(MONO),
    )
    roles = RuledField(
        required=False, help_text="Parted by spaces, such as planner admin.", widget=forms.TextInput(MONO)
    )
    scope = forms.MultipleChoiceField(label="Permissions", required=False)
    audience = forms.MultipleChoiceField(
        label="For which APIs?",
        required=False,
        help_text="Choose none, and it is for those of its permissions.",
        widget=forms.CheckboxSelectMultiple,
    )
    expires_in = forms.IntegerField(label="Lifetime in seconds", widget=forms.NumberInput({"inputmode": "numeric"}))
    claims = JSONField(label="Further claims", required=False, initial=dict, widget=forms.Textarea({"rows": 3} | MONO))
    reason = RuledField(
        label="What is it for?",
        help_text="Your colleagues and the operator read it in the list.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    shapes = SHAPES

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = test_tokens.offered(client)
        self.longest = test_tokens.longest(client, self.offered)
        apis = {scope.api.identifier: scope.api.name for scope in self.offered}
        self.fields["scope"].choices = [(scope.value, scope.name) for scope in self.offered]  # type: ignore[attr-defined]
        self.fields["audience"].choices = [(key, f"{name}, {key}") for key, name in apis.items()]  # type: ignore[attr-defined]
        self.fields["expires_in"].initial = min(600, self.longest)
        self.fields[
            "expires_in"
        ].help_text = f"From {test_tokens.SHORTEST} to {self.longest:,}, as the operator allows."
        names = ", ".join(client.consumer.test_token_claims)
        self.fields["claims"].help_text = (
            f"A JSON object with any of these: {names}."
            if names
            else "The operator allows none yet; ask them to name the claims that you need."
        )

    @property
    def permissions(self) -> Iterator[Permissions]:
        chosen = set(self["scope"].value() or [])
        for api, scopes in groupby(self.offered, key=lambda scope: scope.api):
            yield Permissions(api, [(scope, scope.value in chosen) for scope in scopes])

    @property
    def wanted(self) -> Wanted:
        typed = self.cleaned_data
        return Wanted(
            scopes=tuple(typed["scope"]),
            expires_in=typed["expires_in"],
            reason=typed["reason"],
            grant_type=typed["grant_type"],
            audience=tuple(typed["audience"]),
            user_id=typed["user_id"],
            roles=tuple(typed["roles"].split()),
            claims=typed["claims"],
        )
