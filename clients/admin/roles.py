"""The roles and claims on an API's page, and who has which role."""

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clients.actions import roles as role_actions
from clients.admin.rows import ApiRowInline, RowForm, RowFormSet
from clients.claim_sources import PATH, ROLES, SOURCES, VALUE
from clients.models import Api, ApiClaim, ApiRole, RoleGrant
from clients.onboarding.endpoints import endpoints
from clients.policy import roles as rules
from clients.vocabulary import RoleSource
from consumers.admin.base import AuditedAdmin, ConsumerFilter
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Consumer, User
from core import foreign_json
from core.admin import admin_link, badge, datetime_column, pluralize
from core.errors import Refusal

# -- Roles of an API --------------------------------------------------------------------------------------------------


class RoleForm(RowForm):
    fixed = ("value",)


class RoleFormSet(RowFormSet):
    def clean(self) -> None:
        """Refuse to delete roles that somebody has."""
        super().clean()
        for form in self.deleted_forms:
            if form.instance.pk and (number := form.instance.grants.values("user").distinct().count()):
                raise forms.ValidationError(
                    f"“{form.instance}” cannot be deleted while {pluralize(number, 'person has', 'people have')} it. "
                    "Take it from them first, under “Roles of people”."
                )


class RoleInline(ApiRowInline):
    model = ApiRole
    form = RoleForm
    formset = RoleFormSet
    max_num = rules.MAX_API_ROLES
    verbose_name_plural = "roles"
    fields = ["value", "name", "description", "managers_may_give", "given_to"]
    readonly_fields = ["given_to"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiRole]:
        roles: QuerySet[ApiRole] = super().get_queryset(request)
        return roles.annotate(people=Count("grants__user", distinct=True))

    @admin.display(description="Given to")
    def given_to(self, role: Any) -> SafeString | str:
        if not getattr(role, "people", 0):
            return "Nobody"
        address = reverse("admin:clients_rolegrant_changelist", query={"role": role.pk})
        return format_html('<a href="{}">{}</a>', address, pluralize(role.people, "person", "people"))


# -- Claims of its tokens ---------------------------------------------------------------------------------------------


def _constant_text(value: Any) -> str:
    """Return a constant as it is typed: a text as it is, unless it would be read as other JSON."""
    if isinstance(value, str) and isinstance(_read_constant(value), str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _read_constant(text: str) -> Any:
    """Return the JSON that was typed, or the text itself."""
    try:
        return foreign_json.loads(text, max_bytes=4 * rules.MAX_CLAIM_VALUE)
    except foreign_json.InvalidJSON:
        return text


class ClaimForm(RowForm):
    source = forms.ChoiceField(choices=lambda: [(each.value, each.label) for each in SOURCES.values()])
    argument = forms.CharField(
        label="Path or value",
        required=False,
        max_length=2 * rules.MAX_CLAIM_VALUE,
        help_text="The path of metadata, such as plan.tier; of a constant its value: a text, or JSON.",
        widget=forms.TextInput(attrs={"class": "vTextField", "spellcheck": "false", "autocomplete": "off"}),
    )

    class Meta:
        model = ApiClaim
        fields = ["name", "source", "consent"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        claim = self.instance
        if not claim.pk:
            self.initial["source"] = next(iter(SOURCES))  # as a browser sends a row that nobody has touched
        else:
            self.initial["argument"] = claim.path if claim.value is None else _constant_text(claim.value)

    def _post_clean(self) -> None:
        """Put what was typed where the source looks for it, and add the policy's refusal to its field."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        source, typed = SOURCES[self.cleaned_data["source"]], self.cleaned_data["argument"].strip()
        is_constant = source.argument == VALUE
        self.instance.path = "" if is_constant else typed
        self.instance.value = _read_constant(typed) if is_constant and typed else None
        try:
            rules.api_claim(self.instance)
        except Refusal as refusal:
            if refusal.field in (PATH, VALUE):
                refusal.field = "argument"
            add_refusal(self, refusal)


class ClaimInline(ApiRowInline):
    model = ApiClaim
    form = ClaimForm
    max_num = rules.MAX_API_CLAIMS
    verbose_name_plural = "claims in access tokens"
    fields = ["name", "source", "argument", "when", "consent"]
    readonly_fields = ["when"]

    @admin.display(description="When")
    def when(self, claim: ApiClaim) -> str:
        return claim.reads.when if claim.pk and claim.reads else ""


def token_preview(api: Api) -> str:
    """Return a person's access token for the API as JSON, by examples; nothing where it says no more than any other."""
    roles, claims = list(api.roles.order_by("id")[:1]), list(api.claims.order_by("id"))
    if not roles and not claims:
        return ""
    held = [role.value for role in roles]
    content: dict[str, Any] = {
        "iss": endpoints().issuer,
        "aud": api.identifier,
        "sub": SOURCES["user_id"].example,
        "scope": " ".join(api.scopes.order_by("id").values_list("value", flat=True)[:2]),
    }
    content |= {ROLES: held} if held else {}
    for claim in claims:
        if claim.reads is not None:
            example = claim.reads.example if claim.value is None else claim.value
            content[claim.name] = held or example if claim.source == ROLES else example
    return json.dumps(content, indent=2, ensure_ascii=False)


# -- Who has a role ---------------------------------------------------------------------------------------------------


class RoleFilter(admin.SimpleListFilter):
    """The role that a link has chosen."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        roles = ApiRole.objects.select_related("api")
        return [(str(role.pk), f"{role.api}: {role.name}") for role in roles[:100]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[RoleGrant]) -> QuerySet[RoleGrant]:
        chosen = self.value() or ""
        is_key = chosen.isascii() and chosen.isdecimal() and len(chosen) < 19
        return queryset.filter(role=int(chosen)) if is_key else queryset


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]
    email = forms.EmailField(
        label="Email",
        help_text="Of a person who has an account here.",
        widget=forms.EmailInput({"class": "vTextField"}),
    )
    role = forms.ModelChoiceField(queryset=ApiRole.objects.select_related("api"))
    consumer = forms.ModelChoiceField(
        queryset=Consumer.objects.all(),
        to_field_name="slug",
        required=False,
        widget=forms.TextInput({"class": "vTextField", "spellcheck": "false", "autocapitalize": "none"}),
        help_text="Its short name, for the clients of one consumer. Leave empty for the clients of every consumer.",
        error_messages={"invalid_choice": "There is no consumer of this short name."},
    )

    class Meta:
        model = RoleGrant
        fields = ["role", "consumer"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role: Any = self.fields["role"]
        role.label_from_instance = lambda each: f"{each.api}: {each.name} ({each.value})"

    def clean_email(self) -> User:
        person = User.objects.of_address(self.cleaned_data["email"]).first()
        if person is None:
            raise forms.ValidationError("Nobody here has this address. Invite them to their consumer first.")
        return person

    def _post_clean(self) -> None:
        """Leave it to the action, which refuses what is there already."""


@admin.register(RoleGrant)
class RoleGrantAdmin(AuditedAdmin):
    intro = "What people are in your APIs. It stands as “roles” in the next token that a client gets for them."
    empty = "Nobody has a role yet. Add roles on the page of an API, then give them here, or let managers give them."
    list_display = [
        "person",
        "role_name",
        "api_name",
        "place",
        "source_badge",
        "created_by_label",
        datetime_column("created_at", "Since"),
    ]
    list_filter = [RoleFilter, "source", ConsumerFilter]
    list_select_related = ["user", "role__api", "consumer", "connection"]
    search_fields = ["user__email", "user__name", "role__value", "role__api__name"]
    search_help_text = "By email, name, role or API."
    form = GrantForm

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [("Role", {"fields": ["email", "role", "consumer"]})]
        shown = ["person", "role_name", "api_name", "place", "source_badge", "created_by_label", "since"]
        return [("Role", {"fields": shown, "classes": ["facts"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fieldsets(request, obj)[0][1]["fields"] if obj is not None else []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let nobody turn one role into another: it is taken, and another given."""
        return False

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> RoleGrant:
        return RoleGrant()

    def save_model(self, request: HttpRequest, obj: RoleGrant, form: Any, change: bool) -> None:
        given = form.cleaned_data
        made = role_actions.give_role(
            role=given["role"], user=given["email"], consumer=given["consumer"], actor=Actor.of(request)
        )
        obj.__dict__.update(made.__dict__)

    def save_related(self, *args: Any) -> None:
        """There is nothing beside it."""

    def delete_model(self, request: HttpRequest, obj: RoleGrant) -> None:
        role_actions.take_role(grant=obj, actor=Actor.of(request))

    def deletion_effects(self, obj: RoleGrant) -> list[str]:
        effects = [
            f"{obj.user} is no longer {obj.role.name} in {obj.role.api}, in the next token and in introspection.",
            "Tokens that were issued already carry the role until they expire.",
        ]
        if obj.source in (RoleSource.CONNECTION, RoleSource.LOGIN):
            effects.append("It came with a sign-in, and comes again with the next one unless you change that.")
        return effects

    @admin.display(description="Person", ordering="user__email")
    def person(self, grant: RoleGrant) -> SafeString | str:
        return admin_link(grant.user, grant.user.address)

    @admin.display(description="Role", ordering="role__value")
    def role_name(self, grant: RoleGrant) -> SafeString:
        return format_html("{} <code>{}</code>", grant.role.name, grant.role.value)

    @admin.display(description="API", ordering="role__api__name")
    def api_name(self, grant: RoleGrant) -> SafeString | str:
        return admin_link(grant.role.api)

    @admin.display(description="At the clients of", ordering="consumer__name")
    def place(self, grant: RoleGrant) -> SafeString | str:
        return admin_link(grant.consumer) if grant.consumer else "Every consumer"

    @admin.display(description="Given by", ordering="source")
    def source_badge(self, grant: RoleGrant) -> SafeString:
        return badge(f"Groups of {grant.connection}" if grant.connection else grant.get_source_display())

    @admin.display(description="Since")
    def since(self, grant: RoleGrant) -> str:
        return datetime_column("created_at", "")(grant)
