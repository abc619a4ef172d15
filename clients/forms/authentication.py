"""How a client proves who it is, and whose tokens it may prove itself with."""

import json
from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from clients.forms.base import Choice, OnceForm, RuledField
from clients.metadata import ClientMetadata
from clients.models import Client, TrustedIssuer
from clients.vocabulary import AuthMethod
from consumers.models import Consumer
from core.jose.jwk import ALGORITHMS

MONO = {"class": "mono", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}

SECRET = Choice(
    AuthMethod.BASIC, "A secret", "Works everywhere. You keep it safe, and rotate it now and then.", "key-round"
)
KEY = Choice(
    AuthMethod.PRIVATE_KEY_JWT,
    "A key pair",
    "It signs each request with a private key that never leaves it. We hold the public half alone.",
    "fingerprint-pattern",
)
PLATFORM = Choice(
    AuthMethod.FEDERATED,
    "The identity of its platform",
    "On GitHub Actions, GitLab, a cloud or a cluster: its platform says who it is. Nothing to keep or to leak.",
    "shield-check",
)
NOT_OFFERED = "Choose one of these. Where no secret is offered, the operator allows none."
METHODS = [SECRET, KEY, PLATFORM]


def methods_of(consumer: Consumer) -> list[Choice]:
    """Return the ways that a new client of the consumer may have, the usual one first."""
    return METHODS if consumer.secrets_allowed else [KEY, PLATFORM]


class AuthenticationForm(forms.Form):
    """The method, and what it needs."""

    use_required_attribute = False
    method = forms.ChoiceField(
        error_messages={"required": "Choose how the client proves itself.", "invalid_choice": NOT_OFFERED}
    )
    jwks = RuledField(
        label="Public keys (JWKS)",
        required=False,
        help_text="A JSON object with a list of keys. Paste public halves alone, or let us make a pair below.",
        widget=forms.Textarea(attrs=MONO | {"rows": 8}),
    )
    jwks_uri = RuledField(
        label="Or their address",
        required=False,
        help_text="An https address where the program publishes its keys. We read it again when a new key appears.",
        widget=forms.TextInput(attrs=MONO),
    )
    token_endpoint_auth_signing_alg = forms.ChoiceField(
        label="Signing algorithm",
        required=False,
        choices=[("", "Any that fits the keys"), *((name, name) for name in ALGORITHMS)],
    )

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        values = ClientMetadata.of(client)
        initial = {
            "method": values.token_endpoint_auth_method,
            "jwks": json.dumps(values.jwks, indent=2) if values.jwks else "",
            "jwks_uri": values.jwks_uri,
            "token_endpoint_auth_signing_alg": values.token_endpoint_auth_signing_alg,
        }
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        self.methods = [*(METHODS if client.holds_secrets else methods_of(client.consumer))]
        if values.token_endpoint_auth_method == AuthMethod.POST:
            self.methods[0] = SECRET._replace(value=AuthMethod.POST)
        self.fields["method"].choices = [(each.value, each.title) for each in self.methods]  # type: ignore[attr-defined]

    def clean_jwks(self) -> Any:
        """Return the key set; the policy judges what is in it."""
        text = self.cleaned_data["jwks"].strip()
        if not text or self.cleaned_data.get("method") != AuthMethod.PRIVATE_KEY_JWT:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise forms.ValidationError("This is no JSON. Paste the whole object, with its braces.") from None

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        """Return the base with the method; what another method needed goes."""
        typed = self.cleaned_data
        signs = typed["method"] == AuthMethod.PRIVATE_KEY_JWT
        return base.but(
            token_endpoint_auth_method=typed["method"],
            jwks=typed["jwks"] if signs else None,
            jwks_uri=typed["jwks_uri"] if signs else "",
            token_endpoint_auth_signing_alg=typed["token_endpoint_auth_signing_alg"] if signs else "",
        )


class RuleForm(OnceForm):
    """What a token must say: the platform's usual claims, each in a field, and any other on a line."""

    audience = RuledField(
        help_text="The token’s aud. This portal’s issuer is best: a token for somebody else is then of no use here.",
        widget=forms.TextInput(attrs=MONO),
    )
    claims = RuledField(
        label="Other claims",
        required=False,
        help_text="One per line, as name = value. Within an object, give its place: /kubernetes.io/pod/name = sync.",
        widget=forms.Textarea(attrs=MONO | {"rows": 3}),
    )

    def __init__(self, *args: Any, issuer: TrustedIssuer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.issuer = issuer
        for number, claim in enumerate(issuer.kind.claims):
            self.fields[f"claim{number}"] = RuledField(
                label=claim.label,
                required=False,
                help_text=f"{claim.name}, such as {claim.example}" if claim.example else claim.name,
                widget=forms.TextInput(attrs=MONO),
            )

    @property
    def usual(self) -> Iterator[BoundField]:
        return (self[f"claim{number}"] for number in range(len(self.issuer.kind.claims)))

    def clean_claims(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for line in self.cleaned_data["claims"].splitlines():
            name, equals, value = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not equals or not name or not value:
                raise forms.ValidationError("Write each claim on a line of its own, as name = value.")
            if name in found:
                raise forms.ValidationError(f"Name each claim once: {name[:60]} stands there twice.")
            found[name] = value
        return found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for number, claim in enumerate(self.issuer.kind.claims):
            if cleaned.get(f"claim{number}") and claim.name in cleaned.get("claims", {}):
                self.add_error("claims", f"Name each claim once: {claim.name} has a field of its own.")
        return cleaned

    @property
    def all_claims(self) -> dict[str, str]:
        typed = self.cleaned_data
        usual = {claim.name: typed[f"claim{number}"].strip() for number, claim in enumerate(self.issuer.kind.claims)}
        return {name: value for name, value in usual.items() if value} | dict(typed["claims"])
