"""The form of a test token."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django import forms

from authority.tokens import test_tokens
from authority.tokens.test_tokens import TestTokenRequest
from clients.forms.base import IdempotentForm, Option, PolicyField
from clients.forms.clients import ApiPermissions
from clients.models import Client
from clients.vocabulary import GrantType
from core.fields import JSONField

MONO = {"class": "mono", "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}
GRANT_TYPE_CHOICES = [
    Option(
        GrantType.CLIENT_CREDENTIALS,
        "The client itself",
        "As from client_credentials: nobody is signed in, “sub” is the client.",
        "server",
    ),
    Option(
        GrantType.AUTHORIZATION_CODE,
        "A user",
        "As from an authorization code: “sub” is the user ID that you type.",
        "users",
    ),
]


class TestTokenForm(IdempotentForm):
    """All of a test token but its client, which the URL names."""

    grant_type = forms.ChoiceField(
        label="Subject",
        choices=[(shape.value, shape.title) for shape in GRANT_TYPE_CHOICES],
        initial=GrantType.CLIENT_CREDENTIALS,
    )
    user_id = PolicyField(
        label="User ID",
        required=False,
        help_text="Your own, or an invented one. Only for a user.",
        widget=forms.TextInput(MONO),
    )
    roles = PolicyField(
        required=False, help_text="Separated by spaces, such as planner admin.", widget=forms.TextInput(MONO)
    )
    scope = forms.MultipleChoiceField(label="Permissions", required=False)
    audience = forms.MultipleChoiceField(
        label="Audience",
        required=False,
        help_text="Choose none to use the APIs of its permissions.",
        widget=forms.CheckboxSelectMultiple,
    )
    expires_in = forms.IntegerField(label="Lifetime in seconds", widget=forms.NumberInput({"inputmode": "numeric"}))
    claims = JSONField(
        label="Additional claims", required=False, initial=dict, widget=forms.Textarea({"rows": 3} | MONO)
    )
    reason = PolicyField(
        label="What is it for?",
        help_text="Shown to your colleagues and the operator.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    shapes = GRANT_TYPE_CHOICES

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = test_tokens.available_scopes(client)
        self.longest = test_tokens.max_lifetime(client, self.offered)
        apis = {scope.api.identifier: scope.api.name for scope in self.offered}
        self.fields["scope"].choices = [(scope.value, scope.name) for scope in self.offered]  # type: ignore[attr-defined]
        self.fields["audience"].choices = [(key, f"{name}, {key}") for key, name in apis.items()]  # type: ignore[attr-defined]
        self.fields["expires_in"].initial = min(600, self.longest)
        self.fields[
            "expires_in"
        ].help_text = f"From {test_tokens.MIN_LIFETIME} to {self.longest:,} seconds, as the operator allows."
        if roles := test_tokens.defined_roles(apis):
            self.fields["roles"].help_text = f"Separated by spaces. Its APIs have: {', '.join(dict.fromkeys(roles))}."
        allowed = [name for api in apis for name in test_tokens.allowed_claims(client, [api])]
        names = ", ".join(dict.fromkeys(allowed or client.consumer.test_token_claims))
        self.fields["claims"].help_text = (
            f"A JSON object with any of these: {names}."
            if names
            else "The operator allows none yet. Ask them to allow the claims that you need."
        )

    @property
    def permissions(self) -> Iterator[ApiPermissions]:
        chosen = set(self["scope"].value() or [])
        for api, scopes in groupby(self.offered, key=lambda scope: scope.api):
            yield ApiPermissions(api, [(scope, scope.value in chosen) for scope in scopes])

    @property
    def requested(self) -> TestTokenRequest:
        typed = self.cleaned_data
        return TestTokenRequest(
            scopes=tuple(typed["scope"]),
            expires_in=typed["expires_in"],
            reason=typed["reason"],
            grant_type=typed["grant_type"],
            audience=tuple(typed["audience"]),
            user_id=typed["user_id"],
            roles=tuple(typed["roles"].split()),
            claims=typed["claims"],
        )
