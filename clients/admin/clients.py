"""The admin of clients: operators view, disable and delete them, and set their claims."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clients.actions import clients as client_actions
from clients.actions import secrets as secret_actions
from clients.models import Client, ClientSecret
from clients.queries import in_state, with_state
from clients.vocabulary import IDENTITY_SCOPES, ClientKind, ClientState
from consumers import policy
from consumers.activity.timeline import describe_all
from consumers.admin.base import AdminAction, ConsumerFilter, ReadOnlyAdmin
from consumers.audit import Actor
from consumers.models import Consumer, Event
from core.admin import admin_link, badge, code_list, datetime_column, pluralize
from core.errors import Refusal
from core.fields import JSONField

SHOWN_EVENTS = 8
SUSPENDED = "suspended"
# Those that managers see, and that of a client that would work but for its consumer.
STATES = {**dict(ClientState.choices), SUSPENDED: "Consumer suspended"}
_IS_SUSPENDED = Q(disabled_at=None, consumer__in=Consumer.objects.exclude(suspended_at=None).order_by().values("pk"))
TONES = {ClientState.ACTIVE.value: "good", ClientState.ROTATING.value: "warn", SUSPENDED: "warn"}  # any other: bad


class KindFilter(admin.SimpleListFilter):
    title = "template"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(ClientKind.choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Client]:
        kind = self.value()
        matching: QuerySet[Client] = queryset.of_kind(kind) if kind in ClientKind.values else queryset
        return matching


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Client]:
        state = self.value()
        if state == SUSPENDED:
            return queryset.filter(_IS_SUSPENDED)
        return in_state(queryset.exclude(_IS_SUSPENDED), state) if state in ClientState.values else queryset


def _last_use(thing: Client | ClientSecret) -> str:
    return (
        f"It was last used on {datetime_column('last_used_at', '')(thing)}."
        if thing.last_used_at
        else "It was never used."
    )


def _disable_effects(client: Client) -> list[str]:
    return [
        f"{client} gets no more tokens, and its requests are refused with invalid_client.",
        _last_use(client),
        f"The managers of {client.consumer} are told by mail.",
        "Its settings and secrets stay; enabling it brings it back as it was.",
    ]


def _revoke_tokens_effects(client: Client) -> list[str]:
    return [
        f"All tokens of {client} are revoked, here and at APIs that introspect them.",
        "APIs that only check signatures accept a token until it expires.",
        "People who signed in to it have to sign in again. The client itself can get new tokens immediately.",
    ]


def _revoke_secret_effects(secret: ClientSecret) -> list[str]:
    others = secret.client.secrets.live().exclude(pk=secret.pk).count()
    return [
        f"Requests of {secret.client} with the secret {secret} are refused immediately.",
        _last_use(secret),
        f"Still active: {pluralize(others, 'other secret', 'other secrets')} of the client."
        if others
        else "The client has no other active secret.",
        "This cannot be undone; a manager can create a new secret.",
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
class ClientAdmin(ReadOnlyAdmin):
    intro = (
        "Managers create and change their clients in their workspace. Here you can set claims, disable and delete them."
    )
    form = ClaimsForm
    empty = "There are no clients yet. Managers create them in their consumer's workspace."
    list_display = [
        "client_name",
        "client_id_code",
        "consumer_page",
        "kind_label",
        "state_badge",
        datetime_column("last_used_at", "Last used"),
    ]
    list_filter = [StateFilter, KindFilter, ConsumerFilter]
    list_select_related = ["consumer"]
    search_fields = ["client_name"]
    search_help_text = "By name, full client ID or consumer."
    view_on_site = False
    object_actions = {
        "disable": AdminAction(
            label="Disable {}",
            run=lambda client, actor: client_actions.disable_client(client=client, actor=actor),
            success="{} is disabled.",
            effects=_disable_effects,
            is_available=lambda client: not client.is_disabled,
        ),
        "enable": AdminAction(
            label="Enable {}",
            run=lambda client, actor: client_actions.enable_client(client=client, actor=actor),
            success="{} is enabled.",
            is_available=lambda client: client.is_disabled,
        ),
        "revoke-tokens": AdminAction(
            label="Revoke all tokens of {}",
            run=lambda client, actor: client_actions.revoke_tokens(client=client, actor=actor),
            success="All tokens of {} are revoked.",
            effects=_revoke_tokens_effects,
        ),
        "revoke": AdminAction(
            label="Revoke the secret {}",
            run=lambda secret, actor: secret_actions.revoke_secret(secret=secret, actor=actor),
            success="The secret {} is revoked.",
            effects=_revoke_secret_effects,
            relation="secrets",
        ),
    }
    FACTS = [
        (
            "Client",
            ["client_id_code", "consumer_page", "kind_label", "state_badge", "description", "registered", "last_used"],
        ),
        ("What it may do", ["permissions", "refused_scopes", "grants"]),
        ("Authentication", ["method", "client_jwks_uri"]),
        ("Where it runs", ["subject", "project", "deployment", "environment_type", "audiences"]),
        ("Redirect URIs", ["redirects", "logout_redirects", "origins"]),
        ("Contacts and pages", ["contact_list", "client_uri", "policy_uri", "tos_uri"]),
    ]
    # What most clients leave empty, by the name of its column.
    OPTIONAL = {
        "redirects": "redirect_uris",
        "logout_redirects": "post_logout_redirect_uris",
        "origins": "allowed_cors_origins",
        "contact_list": "contacts",
        "subject": "environment_type",
        "audiences": "identity_token_audience",
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
        if name == "refused_scopes":
            return client is None or bool(_refused_scopes(client))
        return client is None or bool(getattr(client, self.OPTIONAL.get(name, name), True))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super(ReadOnlyAdmin, self).has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Client) -> None:
        client_actions.delete_client(client=obj, actor=Actor.of(request))

    def deletion_effects(self, obj: Client) -> list[str]:
        return [
            (
                f"{obj} of {obj.consumer} ({obj.client_id}) is deleted with its secrets; programs that use it stop "
                "working."
            ),
            _last_use(obj),
            "Refresh tokens and codes that were issued to it stop working. Its activity stays on record.",
            "This cannot be undone. Disabling it stops it just as well, and can be undone.",
        ]

    def extra_context(self, obj: Client) -> dict[str, Any]:
        events = Event.objects.filter(target_kind="client", target_id=str(obj.pk))
        return {
            "secrets": [
                {
                    "secret": secret,
                    "condition": _secret_badge(secret),
                    "revoke": self.action_url(obj, "revoke", secret),
                }
                for secret in obj.secrets.defer("digest")
            ],
            "activity": describe_all(events[:SHOWN_EVENTS], obj.consumer),
        }

    def has_word(self, word: str) -> Q:
        of_consumers = Q(consumer__in=Consumer.objects.filter(name__icontains=word).order_by())
        return super().has_word(word) | Q(client_id=word) | of_consumers

    @admin.display(description="Client ID", ordering="client_id")
    def client_id_code(self, client: Client) -> SafeString:
        return format_html("<code>{}</code>", client.client_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        shown_state = Case(When(_IS_SUSPENDED, then=Value(SUSPENDED)), default=F("state"), output_field=CharField())
        annotated: QuerySet[Any] = with_state(super().get_queryset(request)).annotate(shown_state=shown_state)
        return annotated

    @admin.display(description="Consumer", ordering="consumer__name")
    def consumer_page(self, client: Client) -> str:
        return admin_link(client.consumer)

    @admin.display(description="Template")
    def kind_label(self, client: Client) -> str:
        return str(client.kind.label)

    @admin.display(description="State", ordering="disabled_at")
    def state_badge(self, client: Any) -> SafeString:
        return badge(str(STATES[client.shown_state]), TONES.get(client.shown_state, "bad"))

    @admin.display(description="Created")
    def registered(self, client: Client) -> str:
        when = datetime_column("created", "")(client)
        return format_html("{}, by {}", when, admin_link(client.user)) if client.user else when

    @admin.display(description="Last used")
    def last_used(self, client: Client) -> str:
        return datetime_column("last_used_at", "")(client)

    @admin.display(description="Granted scopes")
    def permissions(self, client: Client) -> str:
        identity = [value for value in client.scopes if value in IDENTITY_SCOPES]
        return code_list([*identity, *(scope.value for scope in client.granted_scopes())])

    @admin.display(description="Requested scopes that are not granted")
    def refused_scopes(self, client: Client) -> str:
        return code_list(_refused_scopes(client))

    @admin.display(description="Grant types")
    def grants(self, client: Client) -> str:
        return code_list(client.grant_types)

    @admin.display(description="Authentication method")
    def method(self, client: Client) -> SafeString:
        return format_html(
            "{} (<code>{}</code>)", client.get_token_endpoint_auth_method_display(), client.token_endpoint_auth_method
        )

    @admin.display(description="Subject of identity tokens")
    def subject(self, client: Client) -> SafeString:
        return format_html("<code>{}</code>", client.workload)

    @admin.display(description="Audiences")
    def audiences(self, client: Client) -> str:
        return code_list(client.identity_token_audience)

    @admin.display(description="Redirect URIs")
    def redirects(self, client: Client) -> str:
        return code_list(client.redirect_uris)

    @admin.display(description="Post-logout redirect URIs")
    def logout_redirects(self, client: Client) -> str:
        return code_list(client.post_logout_redirect_uris)

    @admin.display(description="Allowed origins")
    def origins(self, client: Client) -> str:
        return code_list(client.allowed_cors_origins)

    @admin.display(description="Contacts")
    def contact_list(self, client: Client) -> str:
        return code_list(client.contacts)


def _refused_scopes(client: Client) -> list[str]:
    granted = {*IDENTITY_SCOPES, *(scope.value for scope in client.granted_scopes())}
    return [value for value in client.scopes if value not in granted]


def _secret_badge(secret: ClientSecret) -> SafeString:
    if secret.revoked_at and secret.revoked_at <= timezone.now():
        return badge("Revoked")
    if not secret.is_live:
        return badge("Expired")
    return badge("Expires", "warn") if secret.expires_at or secret.expires_after_use_of_id else badge("Active", "good")
