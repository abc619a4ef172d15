"""The admin of APIs, with their scopes, roles and claims."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clients.actions import apis as api_actions
from clients.actions import roles as role_actions
from clients.admin.roles import ClaimInline, RoleInline
from clients.admin.rows import ApiRowInline, RowForm, RowFormSet
from clients.forms.base import LinesField
from clients.models import Api, Client, Scope
from consumers.admin.base import AuditedAdmin
from consumers.audit import Actor
from consumers.models import Consumer
from consumers.scopes import AUDIENCE

IMMUTABLE = (
    "The identifier and the values of scopes cannot be changed: issued tokens carry them, clients request them, and "
    "your API is configured with them."
)
MAX_NAMES = 12


class ScopeForm(RowForm):
    fixed = ("value",)


class ScopeFormSet(RowFormSet):
    def clean(self) -> None:
        """Refuse to delete scopes that consumers may use."""
        super().clean()
        for form in self.deleted_forms:
            if form.instance.pk and (users := api_actions.consumers_of(form.instance)):
                raise forms.ValidationError(
                    f"“{form.instance}” cannot be deleted while consumers may use it: {', '.join(users)}. "
                    "Take it away from them first, on their pages."
                )


class ScopeInline(ApiRowInline):
    model = Scope
    form = ScopeForm
    formset = ScopeFormSet
    max_num = api_actions.MAX_SCOPES
    verbose_name_plural = "scopes"


class ApiForm(forms.ModelForm):  # type: ignore[type-arg]
    resource_servers = LinesField(
        label="Clients of the API itself",
        required=False,
        help_text="Client IDs, one per line. With their credentials the API can introspect tokens for it.",
    )

    class Meta:
        model = Api
        exclude: list[str] = []  # the page's fieldsets choose

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["resource_servers"] = [client.client_id for client in _servers_of(self.instance)]

    def clean_resource_servers(self) -> list[Client]:
        client_ids = self.cleaned_data["resource_servers"]
        clients_by_id = {client.client_id: client for client in Client.objects.filter(client_id__in=client_ids)}
        if unknown := [client_id for client_id in client_ids if client_id not in clients_by_id]:
            raise forms.ValidationError(f"“{unknown[0]}” is no client's ID.")
        if public := [client for client in clients_by_id.values() if client.is_public]:
            raise forms.ValidationError(f"{public[0]} is a public client: anybody could impersonate it.")
        return list(clients_by_id.values())


def _servers_of(api: Api) -> list[Client]:
    return list(api.resource_servers.order_by("client_id")) if api.pk else []


@admin.register(Api)
class ApiAdmin(AuditedAdmin):
    intro = "Access tokens are issued for these. An API's scopes are the permissions that consumers can be given."
    empty = "Add your first API with its scopes. Then add a consumer, and choose which of them it may use."
    list_display = ["name", "audience", "scope_count", "consumer_count", "signing_algorithm", "lifetime"]
    search_fields = ["name", "identifier"]
    search_help_text = "By name, identifier or scope."
    form = ApiForm

    def get_inlines(self, request: HttpRequest, obj: Api | None) -> list[Any]:
        """Offer roles and claims of an API that exists, but for the portal's own."""
        has_tokens = obj is not None and obj.identifier != AUDIENCE
        return [ScopeInline, RoleInline, ClaimInline] if has_tokens else [ScopeInline]

    def has_word(self, word: str) -> Q:
        return super().has_word(word) | Q(pk__in=Scope.objects.filter(value__icontains=word).order_by().values("api"))

    def get_queryset(self, request: HttpRequest) -> Any:
        return (
            super()
            .get_queryset(request)
            .annotate(
                scopes_in_all=Count("scopes", distinct=True),
                consumers_in_all=Count("scopes__access__consumer", distinct=True),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            ("API", {"fields": ["name", "identifier", "description"], "description": IMMUTABLE if obj else ""}),
            (
                "Its access tokens",
                {"fields": [("signing_algorithm", "access_token_lifetime"), "refresh_token_lifetime"]},
            ),
            ("Introspection", {"fields": ["resource_servers"], "classes": ["monospace"]}),
            ("Test tokens", {"fields": ["is_production", "allows_test_tokens"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["identifier"] if obj else []

    def save_model(self, *args: Any) -> None:
        """Do nothing: save_related() saves the API with its scopes."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        scopes, *tables = formsets
        saved, actor = scopes.save(commit=False), Actor.of(request)
        servers = form.cleaned_data.get("resource_servers", [])
        if change:
            values = {name: value for name, value in form.cleaned_data.items() if name != "resource_servers"}
            api_actions.update_api(
                api=form.instance, values=values, scopes=saved, removed=scopes.deleted_objects, actor=actor
            )
        else:
            api_actions.create_api(api=form.instance, scopes=saved, actor=actor)
        api_actions.set_resource_servers(api=form.instance, clients=servers, actor=actor)
        if tables:
            roles, claims = tables
            changed_roles, changed_claims = roles.save(commit=False), claims.save(commit=False)
            role_actions.update_api_roles(
                api=form.instance, roles=changed_roles, removed=roles.deleted_objects, actor=actor
            )
            role_actions.update_api_claims(
                api=form.instance, claims=changed_claims, removed=claims.deleted_objects, actor=actor
            )

    def delete_model(self, request: HttpRequest, obj: Api) -> None:
        api_actions.delete_api(api=obj, actor=Actor.of(request))

    def deletion_effects(self, obj: Api) -> list[str]:
        """Return who loses access, by name up to MAX_NAMES."""
        values = list(obj.scopes.values_list("value", flat=True))
        consumers = list(Consumer.objects.filter(access__scope__api=obj).distinct())
        clients = Client.objects.filter(consumer__in=consumers, scopes__overlap=values).select_related("consumer")
        effects = [f"Deleted with it: {', '.join(values)}." if values else "It has no scopes."]
        if not consumers:
            return [*effects, "No consumer may use it, so no client loses access."]
        effects.append(f"These consumers lose access: {_shortened(consumer.name for consumer in consumers)}.")
        if clients:
            named = _shortened(f"{client} of {client.consumer}" for client in clients)
            effects.append(f"These clients get no more tokens for it: {named}.")
        return [*effects, "Tokens that were issued already work until they expire. This cannot be undone."]

    @admin.display(description="Identifier", ordering="identifier")
    def audience(self, api: Api) -> SafeString:
        return format_html("<code>{}</code>", api.identifier)

    @admin.display(description="Scopes", ordering="scopes_in_all")
    def scope_count(self, api: Any) -> int:
        return api.scopes_in_all  # type: ignore[no-any-return]

    @admin.display(description="Consumers", ordering="consumers_in_all")
    def consumer_count(self, api: Any) -> int:
        return api.consumers_in_all  # type: ignore[no-any-return]

    @admin.display(description="Longest lifetime", ordering="access_token_lifetime")
    def lifetime(self, api: Api) -> str:
        hours, seconds = divmod(api.access_token_lifetime, 3600)
        minutes, seconds = divmod(seconds, 60)
        parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
        return " ".join(f"{number} {unit}" for number, unit in parts if number)


def _shortened(names: Any) -> str:
    """Return the first MAX_NAMES names, and the number of the others."""
    names = list(names)
    listed = ", ".join(names[:MAX_NAMES])
    return listed if len(names) <= MAX_NAMES else f"{listed} and {len(names) - MAX_NAMES} others"
