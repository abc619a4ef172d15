"""What most clients leave as it is: grants, lifetimes of tokens, signing in and out in detail, pages and contacts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.html import format_html

from clients.forms.base import LinesField, RuledField
from clients.forms.versioned import VersionedForm, in_words
from clients.metadata import ClientMetadata
from clients.models import Client
from clients.vocabulary import ApplicationType, GrantType, TokenStrategy
from core import durations
from core.jose.algorithms import SigningAlgorithm

GRANTS = {
    GrantType.CLIENT_CREDENTIALS: "Act for itself, with nobody signed in",
    GrantType.AUTHORIZATION_CODE: "Sign people in, in their browser",
    GrantType.DEVICE_CODE: "Sign people in, by a code that they type on another device",
    GrantType.REFRESH_TOKEN: "Get new tokens when the old ones end, without asking the person",
}
# What a lifetime is of, by the beginning of its name; a client sees those of its grants.
WAYS = {
    "client_credentials_grant": (GrantType.CLIENT_CREDENTIALS, "when it acts for itself"),
    "authorization_code_grant": (GrantType.AUTHORIZATION_CODE, "after a sign-in"),
    "device_authorization_grant": (GrantType.DEVICE_CODE, "after a sign-in by a code"),
    "refresh_token_grant": (GrantType.REFRESH_TOKEN, "after a refresh"),
}
TOKENS = {"access": "Access token", "id": "ID token", "refresh": "Refresh token"}
SIGN_IN = {GrantType.AUTHORIZATION_CODE, GrantType.DEVICE_CODE}


class DurationField(RuledField):
    """Seconds, typed as 15m or 1h30m; None where nothing is typed."""

    widget = forms.TextInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"})

    def clean(self, value: Any) -> int | None:
        text = str(super().clean(value)).replace(" ", "")
        try:
            return durations.read(text) if text else None
        except ValueError as problem:
            raise forms.ValidationError(f"{str(problem).capitalize()}.") from None

    def prepare_value(self, value: Any) -> Any:
        return shortly(value) if isinstance(value, int) else value


@dataclass(frozen=True)
class Section:
    """Some of the fields, under one heading."""

    name: str
    title: str
    text: str
    fields: list[BoundField]

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield label and value of what is set, for those who may only read."""
        for field in self.fields:
            if value := field.initial:
                yield str(field.label), _read(field.field, value)


def _read(field: forms.Field, value: Any) -> str:
    """Return the value as people read it, of several one on each line."""
    if isinstance(field, DurationField):
        return shortly(value)
    if isinstance(field, forms.ChoiceField):
        labels: dict[str, Any] = dict(field.choices)  # type: ignore[arg-type]
        return "\n".join(str(labels[key]) for key in (value if isinstance(value, tuple) else (value,)))
    return "\n".join(value) if isinstance(value, tuple) else in_words(value)


def shortly(seconds: int) -> str:
    return re.sub(r"(?<![0-9])0[hms]", "", durations.written(seconds))


def _line(label: str, text: str, kind: type[forms.Field] = RuledField, **options: Any) -> Any:
    """Return an optional field with its words."""
    return kind(label=label, help_text=text, required=False, **options)


def _address(label: str, text: str) -> Any:
    """Return an optional field for one address, which the policy judges."""
    widget = forms.URLInput(attrs={"class": "mono", "autocomplete": "off", "spellcheck": "false"})
    return _line(label, text, widget=widget)


class AdvancedForm(VersionedForm):
    """Fields carry the registered names of what they set. None must be filled in."""

    is_optional = True
    SECTIONS = (
        (
            "grants",
            "How it gets tokens",
            "What is not ticked is refused. Without sign-in in the browser its redirect URIs go, too.",
            ("grant_types", "redirect_uris", "audience", "require_resource", "require_pushed_authorization_requests"),
        ),
        (
            "lifetimes",
            "Tokens",
            (
                "Lifetimes are written as 15m or 1h30m. They shorten what the API and the operator allow, and never "
                "lengthen it. Left empty, those decide."
            ),
            ("access_token_strategy", "refresh_token_grace", "lifespans"),
        ),
        (
            "signing-in",
            "Signing in",
            "What it wants where a request does not say.",
            (
                *("application_type", "default_max_age"),
                *("id_token_signed_response_alg", "userinfo_signed_response_alg"),
                *("initiate_login_uri", "allowed_cors_origins", "default_acr_values", "require_auth_time"),
            ),
        ),
        (
            "signing-out",
            "Signing out",
            "Where people go then, and how it learns that they left elsewhere.",
            ("post_logout_redirect_uris", "backchannel_logout_uri", "backchannel_logout_session_required"),
        ),
        (
            "pages",
            "Pages and contacts",
            "People find them where it asks for their permission.",
            (
                *("client_uri", "logo_uri", "policy_uri", "tos_uri"),
                *("contacts", "software_id", "software_version"),
            ),
        ),
    )

    grant_types = forms.MultipleChoiceField(
        label="It may", choices=list(GRANTS.items()), widget=forms.CheckboxSelectMultiple, required=False
    )
    redirect_uris = _line(
        "Redirect URIs", "One per line: where people return after they sign in in their browser.", LinesField
    )
    audience = _line("More APIs", "Identifiers of APIs, one per line, besides those of its permissions.", LinesField)
    require_resource = _line("Name the API in each request", "It must send resource (RFC 8707).", forms.BooleanField)
    require_pushed_authorization_requests = _line(
        "Push each sign-in first",
        "It must send the request to us before the browser comes (PAR, RFC 9126), so that nobody can change it.",
        forms.BooleanField,
    )
    access_token_strategy = forms.ChoiceField(
        label="Access tokens are",
        choices=TokenStrategy.choices,
        help_text="An API checks a JWT by itself. It asks us about an opaque token each time, and learns at once when "
        "it was revoked.",
    )
    refresh_token_grace = _line(
        "A used refresh token still works for",
        "Seconds, up to 30, for a program that may lose an answer. 0 is safest.",
        forms.IntegerField,
    )
    application_type = forms.ChoiceField(
        label="Kind of app",
        choices=ApplicationType.choices,
        help_text="A native app may use redirect URIs with a scheme of its own, such as com.example.app:/back.",
    )
    allowed_cors_origins = _line(
        "Allowed origins",
        "One per line: whose pages may call us from the browser, such as https://app.example.com, with the port.",
        LinesField,
    )
    default_max_age = _line(
        "Sign in anew after", "Seconds since the person signed in. Left empty, we do not ask.", forms.IntegerField
    )
    default_acr_values = _line(
        "Ways of signing in",
        "One per line, the best first. urn:clientdesk:two-factors asks those who have a second factor for it.",
        LinesField,
    )
    require_auth_time = _line("Say when the person signed in", "Each ID token carries auth_time.", forms.BooleanField)
    id_token_signed_response_alg = _line(
        "ID tokens are signed with", "", forms.ChoiceField, choices=[("", "RS256, as usual"), *SigningAlgorithm.choices]
    )
    userinfo_signed_response_alg = _line(
        "Userinfo is", "", forms.ChoiceField, choices=[("", "Plain JSON"), *SigningAlgorithm.choices]
    )
    initiate_login_uri = _address("Where a sign-in begins", "People open the app there, from the list of their apps.")
    post_logout_redirect_uris = _line(
        "After signing out", "One per line: addresses that people may return to.", LinesField
    )
    backchannel_logout_uri = _address(
        "Tell it of sign-outs at", "We send a logout token there when a person signs out, wherever they do."
    )
    backchannel_logout_session_required = _line(
        "Name the session", "Logout tokens carry sid, not the person alone.", forms.BooleanField
    )
    client_uri = _address("Home page", "")
    logo_uri = _address("Logo", "")
    policy_uri = _address("Privacy policy", "")
    tos_uri = _address("Terms of service", "")
    contacts = _line("Contacts", "One per line: how to reach the people behind it.", LinesField)
    software_id = _line("Software ID", "The same for all its installations.")
    software_version = _line("Software version", "")

    def __init__(self, *args: Any, client: Client, **kwargs: Any) -> None:
        values = ClientMetadata.of(client)
        initial = {name: getattr(values, name) for name in self.base_fields if name != "version"}
        kwargs["initial"] = initial | values.lifespans | {"version": client.updated.isoformat()}
        super().__init__(*args, **kwargs)
        self.lifetimes = list(_lifetimes_of(values.grant_types))
        for name, label in self.lifetimes:
            self.fields[name] = _line(label, "", DurationField)
        for name in _unfit(values):
            del self.fields[name]
        for name, field in self.fields.items():
            if name != "version":
                field.help_text = format_html("{} <code>{}</code>", field.help_text, name)

    @property
    def sections(self) -> list[Section]:
        """Return what of the sections fits the client."""
        found = []
        for name, title, text, members in self.SECTIONS:
            names = [each for member in members for each in self.expanded(member) if each in self.fields]
            if names:
                found.append(Section(name, title, text, [self[each] for each in names]))
        return found

    def expanded(self, member: str) -> list[str]:
        return [name for name, _ in self.lifetimes] if member == "lifespans" else [member]

    def compared(self, saved: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        return {name: (typed, saved.get(name)) for name, typed in self.typed().items()}

    def typed(self) -> dict[str, Any]:
        """Return what was typed, as the metadata has it."""
        values = {name: self.cleaned_data[name] for name in self.fields if name != "version"}
        chosen = values["grant_types"]
        kept = [grant for grant in self.initial["grant_types"] if grant in chosen]
        values["grant_types"] = tuple(dict.fromkeys((*kept, *chosen)))
        if "refresh_token_grace" in values:
            values["refresh_token_grace"] = values["refresh_token_grace"] or 0
        return values

    def metadata(self, base: ClientMetadata) -> ClientMetadata:
        values = self.typed()
        lifetimes = {name: values.pop(name) for name, _ in self.lifetimes}
        others = {name: seconds for name, seconds in base.lifespans.items() if name not in lifetimes}
        lifetimes = {name: seconds for name, seconds in lifetimes.items() if seconds is not None}
        redirects = GrantType.AUTHORIZATION_CODE in values["grant_types"]
        changed = base.but(response_types=("code",) if redirects else (), lifespans=others | lifetimes, **values)
        stops = GrantType.AUTHORIZATION_CODE in base.grant_types and not redirects
        return changed.leading_to(()) if stops else changed


def _lifetimes_of(grants: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield name and label of each lifetime that the grants use."""
    for way, (grant, words) in WAYS.items():
        if grant not in grants:
            continue
        for token, label in TOKENS.items():
            if token == "access" or grant != GrantType.CLIENT_CREDENTIALS:
                yield f"{way}_{token}_token_lifespan", f"{label} {words}"


def _unfit(values: ClientMetadata) -> set[str]:
    """Return the fields that mean nothing to the client, by its grants."""
    grants = set(values.grant_types)
    names = set()
    if GrantType.AUTHORIZATION_CODE in grants:
        names.add("redirect_uris")  # which stand among its settings
    else:
        names |= {"require_pushed_authorization_requests", "application_type", "default_max_age", "default_acr_values"}
        names |= {"require_auth_time", "initiate_login_uri", "post_logout_redirect_uris"}
    if not grants & SIGN_IN:
        names |= {"allowed_cors_origins", "id_token_signed_response_alg", "userinfo_signed_response_alg"}
        names |= {"backchannel_logout_uri", "backchannel_logout_session_required"}
    if GrantType.REFRESH_TOKEN not in grants:
        names.add("refresh_token_grace")
    if values.environment_type:
        names.add("audience")  # which stands among its settings
    return names
