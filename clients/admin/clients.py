"""Clients of every consumer: operators read them, stop them and delete them; managers make and change them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clients.actions import clients as client_actions
from clients.actions import secrets as secret_actions
from clients.models import Client, ClientSecret
from clients.queries import KINDS, of_kind
from clients.vocabulary import IDENTITY_SCOPES
from consumers import policy
from consumers.activity.timeline import describe_all
from consumers.admin.base import ConsumerFilter, Deed, ReadOnlyDesk
from consumers.audit import Actor
from consumers.models import Event
from core.admin import badge, listing, moment, page_of, several
from core.errors import Refusal
from core.fields import JSONField

SHOWN_EVENTS = 8


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(KINDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Client]) -> QuerySet[Client]:
        kind = self.value()
        return of_kind(queryset, kind) if kind in KINDS else queryset


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("enabled", "Enabled"), ("disabled", "Disabled"), ("suspended", "Consumer suspended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Client]) -> QuerySet[Client]:
        states = {
            "enabled": Q(disabled_at=None, consumer__suspended_at=None),
            "disabled": Q(disabled_at__isnull=False),
            "suspended": Q(consumer__suspended_at__isnull=False),
        }
        return queryset.filter(states.get(self.value() or "", Q()))


def _last_use(thing: Client | ClientSecret) -> str:
    return f"It was last used on {moment('last_used_at', '')(thing)}." if thing.last_used_at else "It was never used."


def _disabling(client: Client) -> list[str]:
    return [
        f"{client} gets no more tokens, and its requests are refused with invalid_client.",
        _last_use(client),
        f"The managers of {client.consumer} are told by mail.",
        "Its settings and secrets stay; enabling it brings it back as it was.",
    ]


def _revoking_tokens(client: Client) -> list[str]:
    return [
        f"Every token that {client} holds now ends, here and at APIs that ask the portal.",
        "APIs that only check signatures take a token until its expiry.",
        "People who signed in to it sign in again. The client itself can get new tokens at once.",
    ]


def _revoking(secret: ClientSecret) -> list[str]:
    others = secret.client.secrets.live().exclude(pk=secret.pk).count()
    return [
        f"Requests of {secret.client} with the secret {secret} are refused at once.",
        _last_use(secret),
        f"Still working: {several(others, 'other secret', 'other secrets')} of the client."
        if others
        else "The client has no other secret that works.",
        "This cannot be undone; a manager can make a new secret.",
    ]


class ClaimsForm(forms.ModelForm):  # type: ignore[type-arg]
    claims = JSONField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField", "spellcheck": "false"}),
        help_text="A JSON object. Every access token of the client carries it besides its consumer's.",
    )

    class Meta:
        model = Client
        fields = ["claims"]

    def clean_claims(self) -> Any:
        try:
            policy.claims(self.cleaned_data["claims"])
        except Refusal as refusal:
            raise forms.ValidationError(refusal.description) from None
        return self.cleaned_data["claims"]


@admin.register(Client)
class ClientAdmin(ReadOnlyDesk):
    lede = "Managers make and change their clients in their workspace. Here you set claims, stop and delete them."
    form = ClaimsForm
    empty = "There are no clients yet. Managers make them in their consumer's workspace."
    list_display = [
        "client_name",
        "shown_id",
        "consumer_page",
        "sort",
        "condition",
        moment("last_used_at", "Last used"),
    ]
    list_filter = [StateFilter, KindFilter, ConsumerFilter]
    list_select_related = ["consumer"]
    search_fields = ["client_name", "=client_id", "consumer__name"]
    search_help_text = "By name, full client ID or consumer."
    view_on_site = False
    deeds = {
        "disable": Deed(
            label="Disable {}",
            act=lambda client, actor: client_actions.disable_client(client=client, actor=actor),
            done="{} is disabled.",
            effects=_disabling,
            when=lambda client: not client.is_disabled,
        ),
        "enable": Deed(
            label="Enable {}",
            act=lambda client, actor: client_actions.enable_client(client=client, actor=actor),
            done="{} is enabled.",
            when=lambda client: client.is_disabled,
        ),
        "revoke-tokens": Deed(
            label="Revoke all tokens of {}",
            act=lambda client, actor: client_actions.revoke_tokens(client=client, actor=actor),
            done="All tokens of {} are revoked.",
            effects=_revoking_tokens,
        ),
        "revoke": Deed(
            label="Revoke the secret {}",
            act=lambda secret, actor: secret_actions.revoke_secret(secret=secret, actor=actor),
            done="The secret {} is revoked.",
            effects=_revoking,
            part="secrets",
        ),
    }
    FACTS = [
        ("Client", ["shown_id", "consumer_page", "sort", "condition", "description", "registered", "last_used"]),
        ("What it may do", ["permissions", "withheld", "grants"]),
        ("How it proves who it is", ["method", "client_jwks_uri"]),
        ("Where it runs", ["subject", "project", "deployment", "environment_type", "audiences"]),
        ("Where people return to", ["redirects", "logout_redirects", "origins"]),
        ("Contacts and pages", ["people", "client_uri", "policy_uri", "tos_uri"]),
    ]
    # What most clients leave empty, by the name of its column.
    OPTIONAL = {
        "redirects": "redirect_uris",
        "logout_redirects": "post_logout_redirect_uris",
        "origins": "allowed_cors_origins",
        "people": "contacts",
        "subject": "environment_type",
        "audiences": "audience",
    }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what the client has; a page of empty lines would hide it."""
        sections = []
        for title, names in self.FACTS:
            if shown := [name for name in names if self.is_worth_showing(name, obj)]:
                sections.append((title, {"fields": shown, "classes": ["facts"]}))
        if obj is not None:
            sections.append(("Claims of its tokens", {"fields": ["claims"], "classes": ["monospace"]}))
        return sections

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Let operators write the claims; the rest is the managers'."""
        return [name for name in super().get_readonly_fields(request, obj) if name != "claims"]

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: bool) -> None:
        client_actions.set_claims(client=obj, claims=form.cleaned_data["claims"], actor=Actor.of(request))

    def is_worth_showing(self, name: str, client: Client | None) -> bool:
        if name == "withheld":
            return client is None or bool(_refused_scopes(client))
        return client is None or bool(getattr(client, self.OPTIONAL.get(name, name), True))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super(ReadOnlyDesk, self).has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Client) -> None:
        client_actions.delete_client(client=obj, actor=Actor.of(request))

    def losses(self, thing: Client) -> list[str]:
        return [
            f"{thing} of {thing.consumer} ({thing.client_id}) is gone with its secrets; what runs with it stops.",
            _last_use(thing),
            "Refresh tokens and codes that were issued to it stop working. Its activity stays on record.",
            "This cannot be undone. Disabling it stops it just as well, and can be undone.",
        ]

    def around(self, thing: Client) -> dict[str, Any]:
        events = Event.objects.filter(target_kind="client", target_id=str(thing.pk))
        return {
            "secrets": [
                {
                    "secret": secret,
                    "condition": _condition_of(secret),
                    "revoke": self.deed_address(thing, "revoke", secret),
                }
                for secret in thing.secrets.defer("digest")
            ],
            "activity": describe_all(events[:SHOWN_EVENTS], thing.consumer),
        }

    @admin.display(description="Client ID", ordering="client_id")
    def shown_id(self, client: Client) -> SafeString:
        return format_html("<code>{}</code>", client.client_id)

    @admin.display(description="Consumer", ordering="consumer__name")
    def consumer_page(self, client: Client) -> str:
        return page_of(client.consumer)

    @admin.display(description="Kind")
    def sort(self, client: Client) -> str:
        return KINDS[client.kind]

    @admin.display(description="State", ordering="disabled_at")
    def condition(self, client: Client) -> SafeString:
        if client.is_disabled:
            return badge("Disabled", "bad")
        return badge("Consumer suspended", "warn") if client.consumer.is_suspended else badge("Enabled", "good")

    @admin.display(description="Registered")
    def registered(self, client: Client) -> str:
        when = moment("created", "")(client)
        return format_html("{}, by {}", when, page_of(client.user)) if client.user else when

    @admin.display(description="Last used")
    def last_used(self, client: Client) -> str:
        return moment("last_used_at", "")(client)

    @admin.display(description="Gets the scopes")
    def permissions(self, client: Client) -> str:
        identity = [value for value in client.scopes if value in IDENTITY_SCOPES]
        return listing([*identity, *(scope.value for scope in client.granted_scopes())])

    @admin.display(description="Asked for, and may not have")
    def withheld(self, client: Client) -> str:
        return listing(_refused_scopes(client))

    @admin.display(description="Grant types")
    def grants(self, client: Client) -> str:
        return listing(client.grant_types)

    @admin.display(description="Authentication method")
    def method(self, client: Client) -> SafeString:
        return format_html(
            "{} (<code>{}</code>)", client.get_token_endpoint_auth_method_display(), client.token_endpoint_auth_method
        )

    @admin.display(description="Subject of its identity tokens")
    def subject(self, client: Client) -> SafeString:
        return format_html("<code>{}</code>", client.workload)

    @admin.display(description="Audiences")
    def audiences(self, client: Client) -> str:
        return listing(client.audience)

    @admin.display(description="Redirect URIs")
    def redirects(self, client: Client) -> str:
        return listing(client.redirect_uris)

    @admin.display(description="Redirect URIs after signing out")
    def logout_redirects(self, client: Client) -> str:
        return listing(client.post_logout_redirect_uris)

    @admin.display(description="Allowed origins")
    def origins(self, client: Client) -> str:
        return listing(client.allowed_cors_origins)

    @admin.display(description="Contacts")
    def people(self, client: Client) -> str:
        return listing(client.contacts)


def _refused_scopes(client: Client) -> list[str]:
    granted = {*IDENTITY_SCOPES, *(scope.value for scope in client.granted_scopes())}
    return [value for value in client.scopes if value not in granted]


def _condition_of(secret: ClientSecret) -> SafeString:
    if secret.revoked_at and secret.revoked_at <= timezone.now():
        return badge("Revoked")
    if not secret.is_live:
        return badge("Expired")
    return badge("Ends", "warn") if secret.expires_at or secret.ends_after_use_of_id else badge("Works", "good")
