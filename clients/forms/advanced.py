"""The form of advanced settings: grant types, token lifetimes, sign-in and logout, pages and contacts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.html import format_html

from clients.forms.base import LinesField, PolicyField
from clients.forms.versioned import VersionedForm, display_value
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.vocabulary import ApplicationType, GrantType, TokenStrategy, signs_users_in
from core import durations
from core.jose.algorithms import SigningAlgorithm

GRANTS = {
    GrantType.CLIENT_CREDENTIALS: "Client credentials (machine-to-machine)",
    GrantType.AUTHORIZATION_CODE: "Authorization code (sign-in in the browser)",
    GrantType.DEVICE_CODE: "Device authorization",
    GrantType.REFRESH_TOKEN: "Refresh token",
}
# Grant type and label of the lifetimes whose names begin so; a client has those of its grant types.
LIFESPAN_GRANTS = {
    "client_credentials_grant": (GrantType.CLIENT_CREDENTIALS, "client credentials grant"),
    "authorization_code_grant": (GrantType.AUTHORIZATION_CODE, "authorization code grant"),
    "device_authorization_grant": (GrantType.DEVICE_CODE, "device authorization grant"),
    "refresh_token_grant": (GrantType.REFRESH_TOKEN, "refresh token grant"),
}
TOKENS = {"access": "Access token", "id": "ID token", "refresh": "Refresh token"}


class DurationField(PolicyField):
    """Seconds, entered as 15m or 1h30m; None where it is empty."""

    widget = forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"})

    def clean(self, value: Any) -> int | None:
        text = str(super().clean(value)).replace(" ", "")
        try:
            return durations.parse_duration(text) if text else None
        except ValueError as problem:
            raise forms.ValidationError(f"{str(problem).capitalize()}.") from None

    def prepare_value(self, value: Any) -> Any:
        return display_duration(value) if isinstance(value, int) else value


@dataclass(frozen=True)
class Section:
    """Fields under one heading."""

    name: str
    title: str
    text: str
    fields: list[BoundField]

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield label and value of the fields that are set, for viewers."""
        for field in self.fields:
            if value := field.initial:
                yield str(field.label), _display(field.field, value)


def _display(field: forms.Field, value: Any) -> str:
    """Return the value as text, several values on a line each."""
    if isinstance(field, DurationField):
        return display_duration(value)
    if isinstance(field, forms.ChoiceField):
        labels: dict[str, Any] = dict(field.choices)  # type: ignore[arg-type]
        return "\n".join(str(labels[key]) for key in (value if isinstance(value, tuple) else (value,)))
    return "\n".join(value) if isinstance(value, tuple) else display_value(value)


def display_duration(seconds: int) -> str:
    return re.sub(r"(?<![0-9])0[hms]", "", durations.format_duration(seconds))


def _field(label: str, text: str, kind: type[forms.Field] = PolicyField, **options: Any) -> Any:
    """Return an optional field with label and help text."""
    return kind(label=label, help_text=text, required=False, **options)


def _uri_field(label: str, text: str) -> Any:
    """Return an optional field for a URL, which the policy checks."""
    widget = forms.URLInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"})
    return _field(label, text, widget=widget)


class AdvancedForm(VersionedForm):
    """A field for each member of the metadata, under its registered name. None is required."""

    is_optional = True
    SECTIONS = (
        (
            "grants",
            "Grant types",
            (
                "Grant types that are not selected are refused. Without the authorization code, redirect URIs are "
                "removed too."
            ),
            ("grant_types", "redirect_uris", "audience", "require_resource", "require_pushed_authorization_requests"),
        ),
        (
            "lifetimes",
            "Tokens",
            (
                "Lifetimes are written as 15m or 1h30m. They can only shorten what the API and the operator allow. "
                "Leave empty to use those limits."
            ),
            ("access_token_strategy", "refresh_token_grace", "lifespans"),
        ),
        (
            "signing-in",
            "Signing in",
            "Defaults for requests that do not say.",
            (
                *("application_type", "default_max_age"),
                *("id_token_signed_response_alg", "userinfo_signed_response_alg"),
                *("initiate_login_uri", "allowed_cors_origins", "default_acr_values", "require_auth_time"),
            ),
        ),
        (
            "signing-out",
            "Signing out",
            "Where people go after signing out, and how the client is notified.",
            ("post_logout_redirect_uris", "backchannel_logout_uri", "backchannel_logout_session_required"),
        ),
        (
            "pages",
            "Pages and contacts",
            "Shown to people on the consent page.",
            (
                *("client_uri", "logo_uri", "policy_uri", "tos_uri"),
                *("contacts", "software_id", "software_version"),
            ),
        ),
    )

    grant_types = forms.MultipleChoiceField(
        label="Allowed grant types", choices=list(GRANTS.items()), widget=forms.CheckboxSelectMultiple, required=False
    )
    redirect_uris = _field("Redirect URIs", "One per line: where the browser returns after sign-in.", LinesField)
    audience = _field("More APIs", "Identifiers of APIs, one per line, besides those of its permissions.", LinesField)
    require_resource = _field(
        "Require resource parameter", "Each request must name the API with resource (RFC 8707).", forms.BooleanField
    )
    require_pushed_authorization_requests = _field(
        "Require pushed authorization requests (PAR)",
        "Authorization requests must be pushed first (RFC 9126), so that nobody can change them in the browser.",
        forms.BooleanField,
    )
    access_token_strategy = forms.ChoiceField(
        label="Access token format",
        choices=TokenStrategy.choices,
        help_text=(
            "An API validates a JWT on its own. It introspects an opaque token each time, and sees immediately when "
            "it was revoked."
        ),
    )
    refresh_token_grace = _field(
        "Refresh token reuse interval",
        "In seconds, up to 30, for programs that may lose a response. 0 is safest.",
        forms.IntegerField,
    )
    application_type = forms.ChoiceField(
        label="Application type",
        choices=ApplicationType.choices,
        help_text="A native app may use redirect URIs with a scheme of its own, such as com.example.app:/back.",
    )
    allowed_cors_origins = _field(
        "Allowed origins",
        "One per line: origins whose pages may call the token endpoint (CORS), such as https://app.example.com, with "
        "the port.",
        LinesField,
    )
    default_max_age = _field(
        "Default max age",
        "In seconds: people who signed in longer ago sign in again. Leave empty for no limit.",
        forms.IntegerField,
    )
    default_acr_values = _field(
        "Default ACR values",
        "One per line, the best first. urn:clientdesk:two-factors asks those who have a second factor for it.",
        LinesField,
    )
    require_auth_time = _field(
        "Require auth_time", "Each ID token carries auth_time, the time of the sign-in.", forms.BooleanField
    )
    id_token_signed_response_alg = _field(
        "ID token signing algorithm",
        "",
        forms.ChoiceField,
        choices=[("", "RS256 (default)"), *SigningAlgorithm.choices],
    )
    userinfo_signed_response_alg = _field(
        "Userinfo format", "", forms.ChoiceField, choices=[("", "Plain JSON"), *SigningAlgorithm.choices]
    )
    initiate_login_uri = _uri_field("Initiate login URL", "People open the app there from their list of apps.")
    post_logout_redirect_uris = _field(
        "Post-logout redirect URIs", "One per line: URLs that the browser may return to.", LinesField
    )
    backchannel_logout_uri = _uri_field(
        "Back-channel logout URL", "We send a logout token there whenever a person signs out."
    )
    backchannel_logout_session_required = _field(
        "Include session ID (sid)", "Logout tokens carry sid besides the person.", forms.BooleanField
    )
    client_uri = _uri_field("Home page", "")
    logo_uri = _uri_field("Logo", "")
    policy_uri = _uri_field("Privacy policy", "")
    tos_uri = _uri_field("Terms of service", "")
    contacts = _field("Contacts", "One per line: how to reach the people behind it.", LinesField)
    software_id = _field("Software ID", "The same for all its installations.")
    software_version = _field("Software version", "")

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        values = ClientMetadata.of(client)
        initial = {name: getattr(values, name) for name in self.base_fields if name != "version"}
        kwargs["initial"] = initial | values.lifespans | {"version": client.updated.isoformat()}
        super().__init__(*args, **kwargs)
        self.lifetimes = list(_lifetimes_of(values.grant_types))
        for name, label in self.lifetimes:
            self.fields[name] = _field(label, "", DurationField)
        for name in _unused_fields(values):
            del self.fields[name]
        for name, field in self.fields.items():
            if name != "version":
                field.help_text = format_html("{} <code>{}</code>", field.help_text, name)

    @property
    def sections(self) -> list[Section]:
        """Return the sections with the fields that apply to the client."""
        sections = []
        for name, title, text, members in self.SECTIONS:
            names = [each for member in members for each in self._field_names(member) if each in self.fields]
            if names:
                sections.append(Section(name, title, text, [self[each] for each in names]))
        return sections

    def _field_names(self, member: str) -> list[str]:
        return [name for name, _ in self.lifetimes] if member == "lifespans" else [member]

    def entered_and_saved(self, saved: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        return {name: (entered, saved.get(name)) for name, entered in self._entered().items()}

    def _entered(self) -> dict[str, Any]:
        """Return the entered values, as in ClientMetadata."""
        values = {name: self.cleaned_data[name] for name in self.fields if name != "version"}
        chosen = values["grant_types"]
        kept = [grant for grant in self.initial["grant_types"] if grant in chosen]
        values["grant_types"] = tuple(dict.fromkeys((*kept, *chosen)))
        if "refresh_token_grace" in values:
            values["refresh_token_grace"] = values["refresh_token_grace"] or 0
        return values

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        """Return the base with the entered values; without authorization_code, redirect URIs go."""
        values = self._entered()
        lifetimes = {name: values.pop(name) for name, _ in self.lifetimes}
        others = {name: seconds for name, seconds in base.lifespans.items() if name not in lifetimes}
        lifetimes = {name: seconds for name, seconds in lifetimes.items() if seconds is not None}
        redirects = GrantType.AUTHORIZATION_CODE in values["grant_types"]
        changed = base.replace(response_types=("code",) if redirects else (), lifespans=others | lifetimes, **values)
        stops = GrantType.AUTHORIZATION_CODE in base.grant_types and not redirects
        return changed.with_redirect_uris(()) if stops else changed


def _lifetimes_of(grants: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield name and label of each lifetime of these grant types."""
    for prefix, (grant, when) in LIFESPAN_GRANTS.items():
        if grant not in grants:
            continue
        for token, label in TOKENS.items():
            if token == "access" or grant != GrantType.CLIENT_CREDENTIALS:
                yield f"{prefix}_{token}_token_lifespan", f"{label}, {when}"


def _unused_fields(values: ClientMetadata) -> set[str]:
    """Return the fields that do not apply to the client's grant types."""
    grants = set(values.grant_types)
    names = set()
    if GrantType.AUTHORIZATION_CODE in grants:
        names.add("redirect_uris")  # on the settings page
    else:
        names |= {"require_pushed_authorization_requests", "application_type", "default_max_age", "default_acr_values"}
        names |= {"require_auth_time", "initiate_login_uri", "post_logout_redirect_uris"}
    if not signs_users_in(grants):
        names |= {"allowed_cors_origins", "id_token_signed_response_alg", "userinfo_signed_response_alg"}
        names |= {"backchannel_logout_uri", "backchannel_logout_session_required"}
    if GrantType.REFRESH_TOKEN not in grants:
        names.add("refresh_token_grace")
    return names
