"""The admin of APIs, with their scopes, roles and claims."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clients.actions import apis as api_actions
from clients.actions import roles as role_actions
from clients.actions import sign_in_rules
from clients.actions import token_hooks as hook_actions
from clients.actions.group_roles import update_group_roles
from clients.admin.roles import ClaimInline, RoleInline, token_preview
from clients.admin.rows import ApiRowInline, RowForm, RowFormSet
from clients.admin.sign_in import FIELDSETS as SIGN_IN
from clients.admin.sign_in import GroupRoleInline, SignInForm, in_unit
from clients.forms.base import LinesField
from clients.models import Api, Client, HookFailure, Scope, SignInBy, TokenHook
from clients.onboarding.token_hooks import try_hook
from clients.policy import hooks
from consumers.admin.base import AdminAction, AuditedAdmin
from consumers.audit import Actor
from consumers.models import Consumer
from consumers.scopes import AUDIENCE
from core.admin import admin_url
from core.errors import Conflict, Refusal
from core.limits import longest, numbers

IMMUTABLE = (
    "The identifier and the values of scopes cannot be changed: issued tokens carry them, clients request them, and "
    "your API is configured with them."
)
MAX_NAMES = 12
MAX_KEY = 2**63
HOOK_TITLE = "Claims from a token hook"
HOOK_FIELDS = ["hook_url", ("hook_timeout", "hook_failure"), "hook_cache_seconds"]
HOOK = ("url", "timeout", "failure", "cache_seconds")  # the fields of a token hook, after “hook_”
ASKED = "For what only your own systems know. Your server is asked before each token, and answers within 2 seconds."


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

    hook_url = forms.CharField(
        label="Address",
        required=False,
        max_length=longest(TokenHook, "url"),
        widget=forms.TextInput({"class": "vTextField", "spellcheck": "false", "autocomplete": "off"}),
        help_text="https, on a public domain. We send session and request, signed. Leave empty to ask nobody.",
    )
    hook_timeout = forms.TypedChoiceField(
        label="Time limit",
        required=False,
        coerce=int,
        choices=[(2000, "2 seconds"), (1000, "1 second"), (500, "500 milliseconds")],
    )
    hook_failure = forms.ChoiceField(label="When it fails", required=False, choices=HookFailure.choices)
    hook_cache_seconds = forms.IntegerField(
        label="Answers are kept",
        required=False,
        min_value=0,
        max_value=numbers(TokenHook, "cache_seconds")[1],
        help_text="In seconds, for the same question. 0 asks for each token.",
    )

    class Meta:
        model = Api
        exclude: list[str] = []  # the page's fieldsets choose

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["resource_servers"] = [client.client_id for client in _servers_of(self.instance)]
        hook = TokenHook.objects.filter(api=self.instance.pk).first() or TokenHook()
        self.initial.update({f"hook_{name}": getattr(hook, name) for name in HOOK})
        limits: Any = self.fields["hook_timeout"]
        if hook.timeout not in dict(limits.choices):  # as a program has set it
            limits.choices = [*limits.choices, (hook.timeout, f"{hook.timeout:,} milliseconds")]

    @property
    def hook_values(self) -> dict[str, Any]:
        """Return the fields of the hook; what was left empty has its default."""
        typed = {name: self.cleaned_data.get(f"hook_{name}") for name in HOOK}
        return {name: value for name, value in typed.items() if value not in ("", None)}

    def clean(self) -> dict[str, Any]:
        """Add the hook's refusal to its field."""
        cleaned = super().clean() or {}
        if self.hook_values.get("url") and not any(name.startswith("hook_") for name in self.errors):
            try:
                hooks.token_hook(TokenHook(**self.hook_values))
            except Refusal as refusal:
                self.add_error(f"hook_{refusal.field}", refusal.description)
        return cleaned

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


def _test_hook(api: Api, actor: Actor) -> None:
    """Ask the API's hook about nobody. Raises Refusal with what is wrong."""
    hook = TokenHook.objects.filter(api=api).first()
    if hook is None:
        raise Conflict("This API has no token hook. Save its address first.")
    test = try_hook(hook)
    if not test.is_good:
        raise Refusal(f"The token hook does not answer as it should. {test.text}")


@admin.register(Api)
class ApiAdmin(AuditedAdmin):
    intro = "Access tokens are issued for these. An API's scopes are the permissions that consumers can be given."
    empty = "Add your first API with its scopes. Then add a consumer, and choose which of them it may use."
    list_display = ["name", "audience", "scope_count", "consumer_count", "signing_algorithm", "lifetime"]
    search_fields = ["name", "identifier"]
    search_help_text = "By name, identifier or scope."
    form = ApiForm
    object_actions = {
        "test-hook": AdminAction(
            label="Send a test request to its token hook",
            run=_test_hook,
            success="The token hook of {} answers as it should.",
            is_available=lambda api: TokenHook.objects.filter(api=api).exists(),
            is_safe=True,
        )
    }

    def get_inlines(self, request: HttpRequest, obj: Api | None) -> list[Any]:
        """Offer roles and claims of an API that exists, but for the portal's own."""
        if _is_about_sign_in(request):
            return []
        return [ScopeInline, RoleInline, GroupRoleInline, ClaimInline] if self.has_tokens(obj) else [ScopeInline]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.sign_in_view)
        return [path("<int:pk>/sign-in/", view, name="clients_api_sign_in"), *super().get_urls()]

    def sign_in_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show who may sign in: the API's page with other fields, with whatever that page does about rights."""
        api = Api.objects.filter(pk=pk).first() if pk < MAX_KEY else None
        if not self.has_tokens(api):
            raise Http404
        request.is_about_sign_in = True  # type: ignore[attr-defined]
        response: HttpResponse = self.change_view(request, str(pk))
        return response

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if _is_about_sign_in(request):
            kwargs["form"] = SignInForm
        return super().get_form(request, obj, change, **kwargs)

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
        if _is_about_sign_in(request):
            return SIGN_IN
        return [
            ("API", {"fields": ["name", "identifier", "description"], "description": IMMUTABLE if obj else ""}),
            (
                "Its access tokens",
                {"fields": [("signing_algorithm", "access_token_lifetime"), "refresh_token_lifetime"]},
            ),
            ("Introspection", {"fields": ["resource_servers"], "classes": ["monospace"]}),
            ("Test tokens", {"fields": ["is_production", "allows_test_tokens"]}),
            *([(HOOK_TITLE, {"fields": HOOK_FIELDS, "description": ASKED})] if self.has_tokens(obj) else []),
        ]

    def has_tokens(self, obj: Api | None) -> bool:
        """Say whether roles, claims and a hook are for this API: it exists, and is not the portal's own."""
        return obj is not None and obj.identifier != AUDIENCE

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["identifier"] if obj and not _is_about_sign_in(request) else []

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kw: Any) -> HttpResponse:
        api = context["original"]
        if self.has_tokens(api):
            is_about_sign_in = _is_about_sign_in(request)
            context |= {
                "settings_url": admin_url(api),
                "sign_in_url": reverse("admin:clients_api_sign_in", args=[api.pk]),
                "tab": "sign_in" if is_about_sign_in else "settings",
                "preview": "" if is_about_sign_in else token_preview(api),
            }
            if is_about_sign_in:
                context |= {"show_delete": False, "show_save_and_continue": False, "show_save_and_add_another": False}
        return super().render_change_form(request, context, *args, **kw)

    def after_number(self, api: Api) -> int | None:
        """Return what the form has a field for, for those who may only read."""
        return in_unit(api.reauthenticate_after)[0]

    def after_unit(self, api: Api) -> str:
        return in_unit(api.reauthenticate_after)[1]

    def response_change(self, request: HttpRequest, obj: Api) -> HttpResponse:
        """Say who can sign in from now on."""
        if not _is_about_sign_in(request):
            response: HttpResponse = super().response_change(request, obj)
            return response
        messages.success(request, who_can_sign_in(obj))
        return redirect(request.path)

    def save_model(self, *args: Any) -> None:
        """Do nothing: save_related() saves the API with its scopes."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if _is_about_sign_in(request):
            sign_in_rules.set_sign_in(
                api=form.instance,
                values=form.values,
                connections=form.cleaned_data["sign_in_connections"],
                actor=Actor.of(request),
            )
            return
        scopes, *tables = formsets
        saved, actor = scopes.save(commit=False), Actor.of(request)
        servers = form.cleaned_data.get("resource_servers", [])
        if change:
            own = {field.name for field in Api._meta.fields}
            values = {name: value for name, value in form.cleaned_data.items() if name in own}
            api_actions.update_api(
                api=form.instance, values=values, scopes=saved, removed=scopes.deleted_objects, actor=actor
            )
        else:
            api_actions.create_api(api=form.instance, scopes=saved, actor=actor)
        api_actions.set_resource_servers(api=form.instance, clients=servers, actor=actor)
        if tables:
            self.save_hook(form, actor)
            roles, groups, claims = tables
            changed_roles, changed_claims = roles.save(commit=False), claims.save(commit=False)
            role_actions.update_api_roles(
                api=form.instance, roles=changed_roles, removed=roles.deleted_objects, actor=actor
            )
            update_group_roles(
                api=form.instance, group_roles=groups.save(commit=False), removed=groups.deleted_objects, actor=actor
            )
            role_actions.update_api_claims(
                api=form.instance, claims=changed_claims, removed=claims.deleted_objects, actor=actor
            )

    def save_hook(self, form: ApiForm, actor: Actor) -> None:
        if form.hook_values.get("url"):
            hook_actions.set_token_hook(api=form.instance, **form.hook_values, actor=actor)
        elif TokenHook.objects.filter(api=form.instance).exists():
            hook_actions.delete_token_hook(api=form.instance, actor=actor)

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


def _is_about_sign_in(request: HttpRequest) -> bool:
    return getattr(request, "is_about_sign_in", False)


def who_can_sign_in(api: Api) -> str:
    """Return who can sign in to apps that use the API, in a sentence."""
    if api.sign_in == SignInBy.OWN_LOGIN:
        return f"Whom your own login names can sign in at once to apps that use {api}."
    if api.sign_in == SignInBy.CONNECTIONS:
        named = _shortened(each.name for each in api.sign_in_connections.all())
        return f"People of {named} can sign in at once to apps that use {api}."
    return f"Members of the client’s consumer can sign in to apps that use {api}; others no longer."


def _shortened(names: Any) -> str:
    """Return the first MAX_NAMES names, and the number of the others."""
    names = list(names)
    listed = ", ".join(names[:MAX_NAMES])
    return listed if len(names) <= MAX_NAMES else f"{listed} and {len(names) - MAX_NAMES} others"
