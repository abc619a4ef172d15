"""Forms of a client's authentication method, and of its trust rules."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from clients.forms.base import IdempotentForm, Option, PolicyField
from clients.forms.versioned import VersionedForm
from clients.metadata import ClientMetadata
from clients.models import Client, TrustedIssuer
from clients.vocabulary import AuthMethod
from consumers.models import Consumer
from core import foreign_json
from core.jose.algorithms import ALGORITHMS

MONO = {"class": "mono", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}

SECRET = Option(
    AuthMethod.BASIC, "A secret", "Works everywhere. Store it safely, and rotate it from time to time.", "key-round"
)
KEY = Option(
    AuthMethod.PRIVATE_KEY_JWT,
    "A key pair",
    "Signs requests with a private key (private_key_jwt). We store only the public key.",
    "fingerprint-pattern",
)
PLATFORM = Option(
    AuthMethod.FEDERATED,
    "Workload identity federation",
    "Authenticates with tokens of GitHub Actions, GitLab, a cloud or a cluster. No secret to store or to leak.",
    "shield-check",
)
NOT_OFFERED = "Choose one of these. Where no secret is offered, the operator allows none."
METHODS = [SECRET, KEY, PLATFORM]

MAX_KEY_SET = 64 * 1024  # bytes


def allowed_methods(consumer: Consumer) -> list[Option]:
    """Return the methods that a new client of the consumer may have; the first is the default."""
    return METHODS if consumer.secrets_allowed else [KEY, PLATFORM]


def _as_text(key_set: Any) -> str:
    return json.dumps(key_set, indent=2) if key_set else ""


class AuthenticationForm(VersionedForm):
    """The authentication method, with the keys of private_key_jwt."""

    method = forms.ChoiceField(
        error_messages={"required": "Choose an authentication method.", "invalid_choice": NOT_OFFERED}
    )
    jwks = PolicyField(
        label="Public keys (JWKS)",
        required=False,
        help_text="A JSON object with a list of keys. Paste public keys only, or create a key pair below.",
        widget=forms.Textarea(attrs=MONO | {"rows": 8}),
    )
    jwks_uri = PolicyField(
        label="JWKS URL",
        required=False,
        help_text=(
            "An https URL where the program publishes its keys, instead of the keys. We fetch it again when a new "
            "key appears."
        ),
        widget=forms.TextInput(attrs=MONO),
    )
    token_endpoint_auth_signing_alg = forms.ChoiceField(
        label="Signing algorithm",
        required=False,
        choices=[("", "Any that the keys support"), *((name, name) for name in ALGORITHMS)],
    )

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        values = ClientMetadata.of(client)
        initial = {
            "method": values.token_endpoint_auth_method,
            "jwks": _as_text(values.jwks),
            "jwks_uri": values.jwks_uri,
            "token_endpoint_auth_signing_alg": values.token_endpoint_auth_signing_alg,
            "version": client.updated.isoformat(),
        }
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)
        self.methods = [*(METHODS if client.holds_secrets else allowed_methods(client.consumer))]
        if values.token_endpoint_auth_method == AuthMethod.POST:
            self.methods[0] = SECRET._replace(value=AuthMethod.POST)
        self.fields["method"].choices = [(each.value, each.title) for each in self.methods]  # type: ignore[attr-defined]

    def clean_jwks(self) -> Any:
        """Parse the key set; the policy checks its keys."""
        text = self.cleaned_data["jwks"].strip()
        if not text or self.cleaned_data.get("method") != AuthMethod.PRIVATE_KEY_JWT:
            return None
        try:
            return foreign_json.loads(text, max_bytes=MAX_KEY_SET)
        except foreign_json.InvalidJSON:
            raise forms.ValidationError("Invalid JSON. Paste the whole object, with its braces.") from None

    def entered_and_saved(self, saved: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        names = ("method", "jwks_uri", "token_endpoint_auth_signing_alg")
        pairs = {name: (self.cleaned_data[name], saved[name]) for name in names}
        return pairs | {"jwks": (_as_text(self.cleaned_data["jwks"]), saved["jwks"])}

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        """Return the base with the method; keys go with private_key_jwt."""
        entered = self.cleaned_data
        with_keys = entered["method"] == AuthMethod.PRIVATE_KEY_JWT
        return base.replace(
            token_endpoint_auth_method=entered["method"],
            jwks=entered["jwks"] if with_keys else None,
            jwks_uri=entered["jwks_uri"] if with_keys else "",
            token_endpoint_auth_signing_alg=entered["token_endpoint_auth_signing_alg"] if with_keys else "",
        )


class TrustRuleForm(IdempotentForm):
    """A trust rule: a field for each usual claim of the platform, and a line for each other."""

    audience = PolicyField(
        help_text="The token’s aud. This portal’s issuer is best: a token for another audience is then refused.",
        widget=forms.TextInput(attrs=MONO),
    )
    claims = PolicyField(
        label="Other claims",
        required=False,
        help_text="One per line, as name = value. Within an object, give its place: /kubernetes.io/pod/name = sync.",
        widget=forms.Textarea(attrs=MONO | {"rows": 3}),
    )

    def __init__(self, *args: Any, issuer: TrustedIssuer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.issuer = issuer
        for number, claim in enumerate(issuer.kind.claims):
            self.fields[f"claim{number}"] = PolicyField(
                label=claim.label,
                required=False,
                help_text=f"{claim.name}, such as {claim.example}" if claim.example else claim.name,
                widget=forms.TextInput(attrs=MONO),
            )

    @property
    def usual(self) -> Iterator[BoundField]:
        return (self[f"claim{number}"] for number in range(len(self.issuer.kind.claims)))

    def clean_claims(self) -> dict[str, str]:
        claims: dict[str, str] = {}
        for line in self.cleaned_data["claims"].splitlines():
            name, equals, value = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not equals or not name or not value:
                raise forms.ValidationError("Write each claim on a line of its own, as name = value.")
            if name in claims:
                raise forms.ValidationError(f"Name each claim once: {name[:60]} is repeated.")
            claims[name] = value
        return claims

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for number, claim in enumerate(self.issuer.kind.claims):
            if cleaned.get(f"claim{number}") and claim.name in cleaned.get("claims", {}):
                self.add_error("claims", f"Name each claim once: {claim.name} has its own field.")
        return cleaned

    @property
    def all_claims(self) -> dict[str, str]:
        entered = self.cleaned_data
        usual = {claim.name: entered[f"claim{number}"].strip() for number, claim in enumerate(self.issuer.kind.claims)}
        return {name: value for name, value in usual.items() if value} | dict(entered["claims"])
