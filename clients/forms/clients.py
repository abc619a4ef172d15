"""Forms that register a client, change its settings and delete it."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from django import forms

from clients.forms.authentication import NOT_OFFERED, allowed_methods
from clients.forms.base import Form, IdempotentForm, LinesField, Option, PolicyField
from clients.forms.versioned import VersionedForm
from clients.forms.workloads import WorkloadFields
from clients.metadata import TEMPLATES, ClientMetadata
from clients.models import Api, Client, Scope
from clients.vocabulary import IDENTITY_SCOPES, AuthMethod, ClientKind, GrantType, signs_users_in
from clients.workloads import LIFESPAN, MAX_LIFETIME
from consumers.models import Consumer

TEMPLATE_OPTIONS = [
    Option(
        ClientKind.SERVICE,
        ClientKind.SERVICE.label,
        "A program on a server, without a user (client credentials).",
        "server",
    ),
    Option(
        ClientKind.WORKLOAD,
        ClientKind.WORKLOAD.label,
        "A deployment with its own identity. Gets identity tokens that clouds and your own backends accept.",
        "fingerprint-pattern",
    ),
    Option(
        ClientKind.WEB,
        ClientKind.WEB.label,
        "A website with its own server, where users sign in.",
        "globe",
    ),
    Option(
        ClientKind.PUBLIC,
        ClientKind.PUBLIC.label,
        "Runs on the user’s device, where no secret can be kept. Gets a client ID and uses PKCE.",
        "smartphone",
    ),
    Option(
        ClientKind.DEVICE,
        ClientKind.DEVICE.label,
        "Shows a code that the user enters in a browser on another device. Gets a client ID.",
        "terminal",
    ),
]


class ApiPermissions(NamedTuple):
    """An API with its scopes, each with whether it is checked."""

    api: Api
    scopes: list[tuple[Scope, bool]]


class ClientForm(WorkloadFields, IdempotentForm):
    """Name, description, scopes and redirect URIs of a client, and the claims of a workload."""

    client_name = PolicyField(
        label="Name",
        help_text="Shown to your colleagues, and to people who sign in.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = PolicyField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    scope = forms.MultipleChoiceField(
        label="Permissions",
        required=False,
        error_messages={"invalid_choice": "“%(value)s” is not a permission that this workspace may use."},
    )
    identity = forms.MultipleChoiceField(label="User information", required=False, initial=["openid"])
    redirect_uris = LinesField(
        label="Allowed redirect URIs",
        help_text="One per line. Use https, except for 127.0.0.1 and [::1] on your own machine: people come back to "
        "any port there, while a page that calls us from the browser must be on the port that you write.",
    )

    def __init__(self, *args: Any, consumer: Consumer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = list(Scope.objects.select_related("api").granted_to(consumer))
        self.fields["scope"].choices = [(scope.value, scope.name) for scope in self.offered]  # type: ignore[attr-defined]
        self.offer_lifetimes(self.initial.get("identity_token_lifespan"))
        self.fields["identity"].choices = [(value, name) for value, (name, _) in IDENTITY_SCOPES.items()]  # type: ignore[attr-defined]

    def clean_description(self) -> str:
        return str(self.cleaned_data["description"]).replace("\r\n", "\n")

    @property
    def permissions(self) -> Iterator[ApiPermissions]:
        chosen = set(self["scope"].value() or [])
        for api, scopes in groupby(self.offered, key=lambda scope: scope.api):
            yield ApiPermissions(api, [(scope, scope.value in chosen) for scope in scopes])

    @property
    def identity_scopes(self) -> Iterable[tuple[str, str, str, bool]]:
        chosen = set(self["identity"].value() or [])
        for value, (name, description) in IDENTITY_SCOPES.items():
            yield value, name, description, value in chosen

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        """Return the base with the entered values; what does not apply to its grant types is left out."""
        entered = self.cleaned_data
        base = self.workload_metadata(base) if base.environment_type else base
        identity = entered["identity"] if signs_users_in(base.grant_types) else ()
        redirects = GrantType.AUTHORIZATION_CODE in base.grant_types
        return base.replace(
            client_name=entered["client_name"],
            description=entered["description"],
            scope=(*identity, *entered["scope"]),
        ).with_redirect_uris(entered["redirect_uris"] if redirects else ())


class NewClientForm(ClientForm):
    template = forms.ChoiceField(
        choices=[(option.value, option.title) for option in TEMPLATE_OPTIONS],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a template."},
    )
    proof = forms.ChoiceField(
        label="Authentication method", required=False, error_messages={"invalid_choice": NOT_OFFERED}
    )
    kinds = TEMPLATE_OPTIONS

    def __init__(self, *args: Any, consumer: Consumer, **kwargs: Any) -> None:
        super().__init__(*args, consumer=consumer, **kwargs)
        self.methods = allowed_methods(consumer)
        self.fields["proof"].choices = [(method.value, method.title) for method in self.methods]  # type: ignore[attr-defined]

    def new_metadata(self) -> ClientMetadata:
        """Return the entered values; a public client has no authentication method, whatever was chosen."""
        base = TEMPLATES[self.cleaned_data["template"]]
        if base.token_endpoint_auth_method != AuthMethod.NONE:
            base = base.replace(token_endpoint_auth_method=self.cleaned_data["proof"] or self.methods[0].value)
        return self.metadata(base)


class SettingsForm(ClientForm, VersionedForm):
    """The metadata that most people change."""

    dpop_bound_access_tokens = forms.BooleanField(
        label="Require DPoP",
        required=False,
        help_text="The program proves with every request that it holds the key. A stolen token is useless without it.",
    )

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        values = ClientMetadata.of(client)
        initial = {
            "client_name": values.client_name,
            "description": values.description,
            "scope": values.scope,
            "identity": values.scope,
            "redirect_uris": values.redirect_uris,
            "project": values.project,
            "deployment": values.deployment,
            "environment_type": values.environment_type,
            "identity_token_audience": values.identity_token_audience,
            "identity_token_lifespan": values.lifespans.get(LIFESPAN, MAX_LIFETIME),
            "dpop_bound_access_tokens": values.dpop_bound_access_tokens,
            "version": client.updated.isoformat(),
        }
        super().__init__(*args, consumer=client.consumer, initial=initial, **kwargs)
        offered = {scope.value for scope in self.offered} | set(IDENTITY_SCOPES)
        self.no_longer_allowed = [value for value in values.scope if value not in offered]

    def entered_and_saved(self, saved: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        entered = self.cleaned_data
        offered = {scope.value for scope in self.offered}
        pairs = {
            "client_name": (entered["client_name"], saved["client_name"]),
            "description": (entered["description"], saved["description"]),
            "scope": (set(entered["scope"]), offered & set(saved["scope"])),
            "identity": (set(entered["identity"]), set(IDENTITY_SCOPES) & set(saved["scope"])),
            "redirect_uris": (entered["redirect_uris"], saved["redirect_uris"]),
            "dpop_bound_access_tokens": (entered["dpop_bound_access_tokens"], saved["dpop_bound_access_tokens"]),
        }
        if saved["environment_type"]:
            names = ("project", "deployment", "environment_type", "identity_token_audience", "identity_token_lifespan")
            pairs |= {name: (entered[name], type(entered[name])(saved[name])) for name in names}
        return pairs

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        return super().metadata(base).replace(dpop_bound_access_tokens=self.cleaned_data["dpop_bound_access_tokens"])


class DeleteForm(Form):
    name = forms.CharField(
        label="Name of the client",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = client
        self.fields["name"].help_text = "Type it as it stands above."
        self.fields["name"].error_messages["required"] = f"Type “{client}” to delete this client."

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name != self.client.client_name.strip():
            raise forms.ValidationError(f"Type “{self.client.client_name}” to delete this client.")
        return name
