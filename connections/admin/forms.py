"""Forms of the operators' pages of connections."""

from typing import Any

from django import forms

from connections import policy
from connections.models import ClientAuthentication, Connection, JoiningRule, RuleKind, SignInMode
from connections.presets import PRESETS
from consumers.forms import add_refusal
from consumers.models import Consumer, Role
from core.errors import Refusal

CLIENT_AUTHENTICATION = [
    (ClientAuthentication.PRIVATE_KEY_JWT, "With our own key (private_key_jwt): nothing to store or rotate"),
    (ClientAuthentication.CLIENT_SECRET_BASIC, "With a client secret, in the header"),
    (ClientAuthentication.CLIENT_SECRET_POST, "With a client secret, in the body"),
]
SIGN_IN = [
    (SignInMode.OFF, "Off: nobody signs in by it"),
    (SignInMode.OFFERED, "Offered: people choose between this, a code and a passkey"),
    (SignInMode.REQUIRED, "Required: codes, passwords and passkeys are off for its people"),
]


class ScopesField(forms.CharField):
    """Scopes, separated by spaces as in a request."""

    def prepare_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return list(dict.fromkeys((super().to_python(value) or "").split()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))


class ConnectionForm(forms.ModelForm):  # type: ignore[type-arg]
    """A connection. An empty secret leaves the one that is stored."""

    client_secret = forms.CharField(
        required=False,
        max_length=policy.MAX_SECRET,
        strip=True,
        widget=forms.PasswordInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text="Encrypted, and never shown again.",
    )
    client_authentication = forms.ChoiceField(
        label="How we authenticate there", choices=CLIENT_AUTHENTICATION, widget=forms.RadioSelect
    )
    scopes = ScopesField(help_text="Separated by spaces. openid is needed.", max_length=2000)
    sign_in = forms.ChoiceField(label="Sign-in", choices=SIGN_IN, widget=forms.RadioSelect, required=False)

    class Meta:
        model = Connection
        fields = [
            "name",
            "slug",
            "issuer",
            "client_id",
            "client_authentication",
            "scopes",
            "name_claim",
            "email_claim",
            "verified_claim",
            "groups_claim",
            "domain_claim",
            "kept_claims",
            "sign_in",
            "consumers",
            "for_operators",
            "operator_claim_value",
            "operator_group",
            "max_age",
        ]
        widgets = {"consumers": forms.SelectMultiple(attrs={"size": 6})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.has_client_secret:
            self.fields["client_secret"].help_text = "One is stored. Leave empty to keep it."

    def _post_clean(self) -> None:
        """Add the policy's refusal to its field."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        secret = self.cleaned_data["client_secret"]
        self.instance.encrypted_client_secret = self.instance.encrypted_client_secret or (b"-" if secret else b"")
        try:
            policy.client_secret(secret)
            policy.connection(self.instance)
        except Refusal as refusal:
            add_refusal(self, refusal)

    def validate_constraints(self) -> None:
        """Do nothing: the action refuses the same, with a better message."""


class NewConnectionForm(ConnectionForm):
    """A new connection to one product: it asks for what has to be looked up there, in place of the issuer."""

    preset = ""
    domains = forms.CharField(
        label="Email domains",
        required=False,
        max_length=2000,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="Separated by spaces. Who enters such an address is led there. Verify them on the next page.",
    )

    class Meta(ConnectionForm.Meta):
        fields = ["name", "slug", "client_id", "client_authentication", "consumers"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("scopes", "sign_in"):
            del self.fields[name]
        product = PRESETS[self.preset]
        for name, label in product.asks.items():
            self.fields[f"ask_{name}"] = forms.CharField(
                label=label,
                max_length=200,
                widget=forms.TextInput(attrs={"class": "vTextField", "placeholder": product.examples.get(name, "")}),
            )

    def clean_domains(self) -> list[str]:
        names = self.cleaned_data["domains"].replace(",", " ").split()
        try:
            return list(dict.fromkeys(policy.domain_name(name) for name in names))
        except Refusal as refusal:
            raise forms.ValidationError(refusal.description) from None

    def clean(self) -> dict[str, Any]:
        """Fill in what follows from the product."""
        cleaned = super().clean() or {}
        answers = {name: cleaned.get(f"ask_{name}", "") for name in PRESETS[self.preset].asks}
        if not all(answers.values()):
            return cleaned
        self.instance.preset = self.preset
        try:
            for name, value in policy.preset_values(self.preset, answers).items():
                setattr(self.instance, name, value)
        except Refusal as refusal:
            self.add_error(f"ask_{refusal.field}" if refusal.field in answers else None, refusal.description)
        return cleaned


class DomainForm(forms.Form):
    domain = forms.CharField(label="Domain", max_length=253, widget=forms.TextInput(attrs={"class": "vTextField"}))


class RuleForm(forms.Form):
    """A joining rule of one connection."""

    kind = forms.ChoiceField(label="By", choices=RuleKind)
    value = forms.CharField(
        label="Domain or group", max_length=253, widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    consumer = forms.ModelChoiceField(label="Consumer", queryset=Consumer.objects.none())
    role = forms.ChoiceField(label="Role", choices=Role, initial=Role.VIEWER)

    def __init__(self, connection: Connection, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection = connection
        theirs = connection.consumers.all()
        consumers = theirs if theirs.exists() else Consumer.objects.all()
        self.fields["consumer"].queryset = consumers  # type: ignore[attr-defined]
        if len(theirs) == 1:
            self.fields["consumer"].initial = theirs[0]

    def rule(self) -> JoiningRule:
        return JoiningRule(connection=self.connection, **self.cleaned_data)
