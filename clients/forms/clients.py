"""What a client is called, may do, and where it leads people."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from django import forms

from clients.forms.authentication import NOT_OFFERED, methods_of
from clients.forms.base import Choice, Form, LinesField, OnceForm, RuledField
from clients.forms.versioned import VersionedForm
from clients.forms.workloads import WorkloadFields
from clients.metadata import TEMPLATES, ClientMetadata
from clients.models import Api, Client, Scope
from clients.vocabulary import IDENTITY_SCOPES, AuthMethod, GrantType
from clients.workloads import LIFESPAN, LONGEST
from consumers.models import Consumer

KINDS = [
    Choice(
        "service",
        "Service",
        "A program on a server that acts for itself, with nobody signed in.",
        "server",
    ),
    Choice(
        "workload",
        "Workload",
        "A deployment that proves itself to others. Gets identity tokens that clouds and your own backends accept.",
        "fingerprint-pattern",
    ),
    Choice(
        "web",
        "Web app",
        "A website with its own server, where people sign in.",
        "globe",
    ),
    Choice(
        "public",
        "Single-page or mobile app",
        "Runs on the user’s device, where no secret stays secret. Gets a client ID and uses PKCE.",
        "smartphone",
    ),
    Choice(
        "device",
        "Command line or TV app",
        "Shows a code that people type in a browser elsewhere to let it in. Gets a client ID.",
        "terminal",
    ),
]


class Permissions(NamedTuple):
    """An API's permissions, as check boxes."""

    api: Api
    scopes: list[tuple[Scope, bool]]


class ClientForm(WorkloadFields, OnceForm):
    """Name, description, permissions and addresses of a client, and where it runs when it is a workload."""

    client_name = RuledField(
        label="Name",
        help_text="Colleagues read it, and so do people who sign in.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = RuledField(required=False, widget=forms.Textarea(attrs={"rows": 3}))
    scope = forms.MultipleChoiceField(
        label="Permissions",
        required=False,
        error_messages={"invalid_choice": "“%(value)s” is not a permission that this workspace may use."},
    )
    identity = forms.MultipleChoiceField(label="About the person", required=False, initial=["openid"])
    redirect_uris = LinesField(
        label="Allowed addresses",
        help_text="One per line. Use https, except for 127.0.0.1 and [::1] on your own machine: people come back to "
        "any port there, while a page that calls us from the browser must be on the port that you write.",
    )

    def __init__(self, *args: Any, consumer: Consumer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = list(Scope.objects.select_related("api").filter(access__consumer=consumer))
        self.fields["scope"].choices = [(scope.value, scope.name) for scope in self.offered]  # type: ignore[attr-defined]
        self.offer_lifetimes(self.initial.get("identity_token_lifespan"))
        self.fields["identity"].choices = [(value, name) for value, (name, _) in IDENTITY_SCOPES.items()]  # type: ignore[attr-defined]

    def clean_description(self) -> str:
        return str(self.cleaned_data["description"]).replace("\r\n", "\n")

    @property
    def permissions(self) -> Iterator[Permissions]:
        chosen = set(self["scope"].value() or [])
        for api, scopes in groupby(self.offered, key=lambda scope: scope.api):
            yield Permissions(api, [(scope, scope.value in chosen) for scope in scopes])

    @property
    def identity_scopes(self) -> Iterable[tuple[str, str, str, bool]]:
        chosen = set(self["identity"].value() or [])
        for value, (name, description) in IDENTITY_SCOPES.items():
            yield value, name, description, value in chosen

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        """Return the base with what was typed; what does not apply to its grants is left out."""
        typed = self.cleaned_data
        redirects = GrantType.AUTHORIZATION_CODE in base.grant_types
        signs_in = redirects or GrantType.DEVICE_CODE in base.grant_types
        base = self.of_workload(base) if base.environment_type else base
        return base.but(
            client_name=typed["client_name"],
            description=typed["description"],
            scope=(*(typed["identity"] if signs_in else ()), *typed["scope"]),
        ).leading_to(typed["redirect_uris"] if redirects else ())


class NewClientForm(ClientForm):
    template = forms.ChoiceField(
        choices=[(kind.value, kind.title) for kind in KINDS],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the template that fits what you build."},
    )
    proof = forms.ChoiceField(
        label="How it proves itself", required=False, error_messages={"invalid_choice": NOT_OFFERED}
    )
    kinds = KINDS

    def __init__(self, *args: Any, consumer: Consumer, **kwargs: Any) -> None:
        super().__init__(*args, consumer=consumer, **kwargs)
        self.methods = methods_of(consumer)
        self.fields["proof"].choices = [(method.value, method.title) for method in self.methods]  # type: ignore[attr-defined]

    def new_metadata(self) -> ClientMetadata:
        """Return what was typed; a public client proves nothing, whatever was chosen."""
        base = TEMPLATES[self.cleaned_data["template"]]
        if base.token_endpoint_auth_method != AuthMethod.NONE:
            base = base.but(token_endpoint_auth_method=self.cleaned_data["proof"] or self.methods[0].value)
        return self.metadata(base)


class SettingsForm(ClientForm, VersionedForm):
    """What most people change of a client."""

    dpop_bound_access_tokens = forms.BooleanField(
        label="Bind its tokens to a key",
        required=False,
        help_text="The program proves with every request that it holds the key (DPoP). A stolen token opens nothing.",
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
            "audience": values.audience,
            "identity_token_lifespan": values.lifespans.get(LIFESPAN, LONGEST),
            "dpop_bound_access_tokens": values.dpop_bound_access_tokens,
            "version": client.updated.isoformat(),
        }
        super().__init__(*args, consumer=client.consumer, initial=initial, **kwargs)
        offered = {scope.value for scope in self.offered} | set(IDENTITY_SCOPES)
        self.withdrawn = [value for value in values.scope if value not in offered]

    def compared(self, saved: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        mine = self.cleaned_data
        offered = {scope.value for scope in self.offered}
        pairs = {
            "client_name": (mine["client_name"], saved["client_name"]),
            "description": (mine["description"], saved["description"]),
            "scope": (set(mine["scope"]), offered & set(saved["scope"])),
            "identity": (set(mine["identity"]), set(IDENTITY_SCOPES) & set(saved["scope"])),
            "redirect_uris": (mine["redirect_uris"], saved["redirect_uris"]),
            "dpop_bound_access_tokens": (mine["dpop_bound_access_tokens"], saved["dpop_bound_access_tokens"]),
        }
        if saved["environment_type"]:
            names = ("project", "deployment", "environment_type", "audience", "identity_token_lifespan")
            pairs |= {name: (mine[name], type(mine[name])(saved[name])) for name in names}
        return pairs

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        return super().metadata(base).but(dpop_bound_access_tokens=self.cleaned_data["dpop_bound_access_tokens"])


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
