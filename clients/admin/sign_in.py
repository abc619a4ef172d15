"""“Who may sign in” of an API: a page of its own, and the groups that give its roles."""

from collections.abc import Iterator
from copy import copy
from typing import Any

from django import forms
from django.db.models import Count, QuerySet
from django.forms.models import ModelChoiceIterator, modelformset_factory
from django.http import HttpRequest

from clients.actions.sign_in_rules import FIELDS
from clients.admin.rows import ApiRowInline, RowForm
from clients.models import Api, ApiRole, GroupRole, SignInBy
from clients.policy import roles as role_rules
from clients.policy import sign_ins as rules
from connections.models import Connection, SignInMode
from consumers.forms import add_refusal
from core.admin import pluralize
from core.errors import Refusal

UNITS = {"days": 24 * 3600, "hours": 3600, "minutes": 60, "seconds": 1}
SAYS = {
    SignInBy.MEMBERS: "Managers and viewers of its workspace. The default.",
    SignInBy.CONNECTIONS: "They become end users at their first sign-in, without any right in the portal. "
    "Members may sign in, too.",
    SignInBy.OWN_LOGIN: "Your server answers the login and consent challenge, as with Ory Hydra.",
}
FIELDSETS = [
    (
        "Who may sign in",
        {"fields": ["sign_in", "sign_in_connections"], "description": "To apps that ask for scopes of this API."},
    ),
    (
        "Sessions",
        {"fields": [("after_number", "after_unit"), "requires_two_factors", "asks_consent_each_time"]},
    ),
    (
        "Your own login",
        {"fields": list(rules.ADDRESSES), "description": "Used when you choose it above."},
    ),
]


class Choices(forms.RadioSelect):
    """Radio buttons, each with a sentence."""

    template_name = "admin/widgets/choices.html"

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        return option | {"says": SAYS.get(value, "")}


class ConnectionChecks(forms.CheckboxSelectMultiple):
    """A table of connections: their domains, and how many people each has."""

    template_name = "admin/widgets/connection_checks.html"

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        row = getattr(value, "instance", None)
        return option | ({} if row is None else _facts_of(row))


def _facts_of(row: Any) -> dict[str, Any]:
    return {
        "domains": [domain.name for domain in row.domains.all() if domain.verified_at][:3],
        "people": pluralize(row.people_in_all, "person", "people"),
        "number": row.people_in_all,
        "is_off": row.sign_in == SignInMode.OFF,
    }


class _RowsInOneQuery(ModelChoiceIterator):  # type: ignore[type-arg]
    """The rows with what is prefetched for them; Django's own reads them one by one."""

    def __iter__(self) -> Iterator[Any]:
        for row in self.queryset:
            yield self.choice(row)


class ConnectionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    widget = ConnectionChecks
    iterator = _RowsInOneQuery


def connections_with_people() -> QuerySet[Connection]:
    counted = Count("identities", distinct=True)
    return Connection.objects.prefetch_related("domains").annotate(people_in_all=counted).order_by("name", "id")


class SignInForm(forms.ModelForm):  # type: ignore[type-arg]
    sign_in = forms.ChoiceField(label="Who may sign in", choices=SignInBy.choices, widget=Choices)
    sign_in_connections = ConnectionsField(
        label="Connections", queryset=Connection.objects.none(), required=False, help_text=""
    )
    after_number = forms.IntegerField(
        label="Ask again after",
        required=False,
        min_value=1,
        max_value=rules.LONGEST,
        help_text="Leave empty to ask nobody again.",
    )
    after_unit = forms.ChoiceField(label="Unit", choices=[(unit, unit) for unit in reversed(UNITS)], required=False)

    class Meta:
        model = Api
        fields = [*(name for name in FIELDS if name != "reauthenticate_after"), "sign_in_connections"]
        widgets = {
            name: forms.TextInput({"class": "vTextField", "spellcheck": "false", "autocomplete": "off"})
            for name in rules.ADDRESSES
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "sign_in_connections" not in self.fields:  # whoever may only read
            return
        chosen: Any = self.fields["sign_in_connections"]
        chosen.queryset = connections_with_people()
        self.initial["after_number"], self.initial["after_unit"] = in_unit(self.instance.reauthenticate_after)

    @property
    def values(self) -> dict[str, Any]:
        """Return the fields of the API that were typed, by name."""
        given, number = self.cleaned_data, self.cleaned_data.get("after_number")
        after = number * UNITS[given["after_unit"] or "hours"] if number else None
        return {name: given[name] for name in FIELDS if name in given} | {"reauthenticate_after": after}

    def clean(self) -> dict[str, Any]:
        """Add the policy's refusal to its field."""
        cleaned = super().clean() or {}
        if not self.errors:
            candidate = copy(self.instance)
            for name, value in self.values.items():
                setattr(candidate, name, value)
            try:
                rules.sign_in(candidate, list(cleaned["sign_in_connections"]))
            except Refusal as refusal:
                if refusal.field == "reauthenticate_after":
                    refusal.field = "after_number"
                add_refusal(self, refusal)
        return cleaned

    def validate_constraints(self) -> None:
        """Leave it to the policy, which names the field."""


def in_unit(seconds: int | None) -> tuple[int | None, str]:
    """Return a number of seconds in the largest unit that says it without a fraction."""
    if not seconds:
        return None, "hours"
    return next((seconds // size, unit) for unit, size in UNITS.items() if seconds % size == 0)


# -- Roles by group ---------------------------------------------------------------------------------------------------


class GroupRoleForm(RowForm):
    class Meta:
        model = GroupRole
        fields = ["connection", "group", "role"]
        help_texts = {
            "group": "As the provider writes it. Counts from the next sign-in on; a deleted row takes the role at once."
        }

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors and self.has_changed():
            try:
                role_rules.group_role(self.instance, self.instance.role.api)
            except Refusal as refusal:
                add_refusal(self, refusal)


class GroupRoleFormSet(forms.BaseModelFormSet):  # type: ignore[type-arg]
    """The rules of an API, which they are below by way of their roles: so it is no inline formset of Django's own."""

    def __init__(
        self, *args: Any, instance: Api | None = None, save_as_new: bool = False, queryset: Any = None, **kwargs: Any
    ) -> None:
        self.instance = instance
        found = GroupRole.objects.filter(role__api=instance).select_related("role", "connection").order_by("pk")
        super().__init__(*args, **kwargs | {"queryset": found})

    @classmethod
    def get_default_prefix(cls) -> str:
        return "group_roles"

    def add_fields(self, form: Any, index: int | None) -> None:
        """Offer the API's roles, and connections that read groups."""
        super().add_fields(form, index)
        if "role" not in form.fields:  # whoever may only read
            return
        form.fields["role"].queryset = ApiRole.objects.filter(api=self.instance)
        form.fields["role"].label_from_instance = lambda role: f"{role.name} ({role.value})"
        form.fields["connection"].queryset = Connection.objects.exclude(groups_claim="")
        if "DELETE" in form.fields:
            what = form.instance if form.instance.pk else "this row"
            form.fields["DELETE"].widget.attrs["aria-label"] = f"Delete {what}"


class GroupRoleInline(ApiRowInline):
    model = GroupRole
    form = GroupRoleForm
    verbose_name_plural = "roles by group"
    max_num = role_rules.MAX_GROUP_ROLES
    fields = ["connection", "group", "role"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return modelformset_factory(
            GroupRole,
            form=self.form,
            formset=GroupRoleFormSet,
            fields=GroupRoleForm.Meta.fields if self.has_change_permission(request, obj) else [],
            extra=1 if self.has_add_permission(request, obj) else 0,
            max_num=self.max_num,
            can_delete=self.has_delete_permission(request, obj),
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let those change them who may give roles to people: a group is nothing but many of them."""
        gives = request.user.has_perms(["clients.add_rolegrant", "clients.delete_rolegrant"])
        return super().has_add_permission(request, obj) and gives

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    has_delete_permission = has_change_permission
