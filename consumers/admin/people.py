"""People and groups on the operators' pages."""

from functools import cache
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group, Permission
from django.db.models import BooleanField, ExpressionWrapper, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from consumers.actions import people as people_actions
from consumers.activity.person_facts import FACTS
from consumers.admin.base import AuditedAdmin
from consumers.audit import Actor
from consumers.models import PortalLink, User, normal_email
from core.admin import admin_link, badge, datetime_column
from core.fields import GroupedMultipleChoiceField


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]
    groups = GroupedMultipleChoiceField(
        queryset=Group.objects.order_by("name"),
        group_of=lambda _: "Operator groups",
        label_of=lambda group: group.name,
        empty="There are no groups yet. A group decides what its operators may read and change.",
    )

    class Meta:
        model = User
        fields = ["email", "name", "is_active", "is_staff", "is_superuser", "groups"]
        labels = {"is_superuser": "Full rights", "is_staff": "Operator", "is_active": "Active"}
        help_texts = {
            "email": "A code to sign in with is mailed here.",
            "is_superuser": "May do everything here, and decide what other operators may do.",
            "is_active": "Clear it to remove all access of the person, and their sessions, immediately.",
            "is_staff": "May open these pages, within full rights or the rights of a group.",
        }

    def clean_email(self) -> str:
        email = normal_email(self.cleaned_data["email"])
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(
                f"There is already an account for {email}. Open it and give that person operator rights."
            )
        return email


class KindFilter(admin.SimpleListFilter):
    """The people of the portal, unless the end users of apps are asked for: there may be a million of them."""

    title = "kind"
    parameter_name = "kind"
    END_USERS = "end-users"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.END_USERS, "End users")]

    def choices(self, changelist: Any) -> Any:
        every, *others = super().choices(changelist)
        yield {**every, "display": "People of the portal"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(is_end_user=self.value() == self.END_USERS)


@cache
def _shown(label: str) -> Any:
    """Return what a room above knows of a person as a field of the page."""
    return admin.display(description=label)(FACTS[label])


@admin.register(User)
class PersonAdmin(AuditedAdmin):
    intro = (
        "Managers are invited from their consumer's page. Only operators are added here. End users of apps stand "
        "apart: find one by address or subject."
    )
    form = PersonForm
    list_display = ["__str__", "address", "places", "standing", datetime_column("last_login", "Last sign-in")]
    list_filter = [KindFilter, "is_active", ("is_staff", admin.BooleanFieldListFilter)]
    search_fields = ["email", "name"]
    search_help_text = (
        "By name or email address; end users by their whole address or subject, or how their name begins."
    )
    ordering = ["email"]
    view_on_site = False
    RIGHTS = ["is_staff", "is_superuser", "groups"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("memberships__consumer")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Look for one person of that whole address or subject first, whichever kind is shown."""
        words = search_term.strip()
        people = [User.objects.of_address(words), User.objects.of_subject(words)] if words else []
        if exact := [pk for found in people for pk in found.values_list("pk", flat=True)]:
            return self.get_queryset(request).filter(pk__in=exact), False
        if words and request.GET.get(KindFilter.parameter_name) == KindFilter.END_USERS:
            return queryset.filter(pk__in=User.objects.named(words).values("pk")), False
        return super().get_search_results(request, queryset, search_term)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [
                ("Operator", {"fields": ["email", "name"]}),
                ("Rights", {"fields": ["is_superuser", "groups"]}),
            ]
        own = obj.pk == request.user.pk
        known = ["signed_in", *(_shown(label) for label in FACTS)]
        if obj.is_end_user:
            return [
                ("End user", {"fields": ["address", "subject", "name", "is_active"]}),
                ("On record", {"fields": ["joined", *known, "erasing"], "classes": ["facts"]}),
            ]
        return [
            ("Person", {"fields": ["address", "name", "is_active"]}),
            (
                "Rights on these pages",
                {
                    "fields": self.RIGHTS,
                    "description": "Another operator can change your rights; you cannot." if own else "",
                },
            ),
            ("On record", {"fields": ["places", "joined", "signed_in"], "classes": ["facts"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed: list[Any] = ["places", "joined", "signed_in", "subject", "erasing", *(_shown(label) for label in FACTS)]
        if obj is not None:
            fixed += ["email", "address"]  # people change their own, which proves that it is theirs
            if obj.pk == request.user.pk:
                fixed.append("is_active")
            if obj.pk == request.user.pk or not request.user.is_superuser:
                fixed += self.RIGHTS
        return fixed

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not above

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # deactivating ends every access, and what the person did keeps its name

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        groups, actor = form.cleaned_data.get("groups"), Actor.of(request)
        if change:
            values = {name: value for name, value in form.cleaned_data.items() if name != "groups"}
            people_actions.update_person(person=obj, values=values, groups=groups, actor=actor)
        else:
            people_actions.create_operator(person=obj, groups=groups or (), actor=actor)
            messages.info(
                request, f"Tell {obj}: sign in with {obj.email}. The portal mails a code; no password is needed."
            )

    def save_related(self, *args: Any) -> None:
        """The action has set the groups."""

    @admin.display(description="Email address", ordering="email")
    def address(self, person: User) -> str:
        return person.address or "None proven"

    @admin.display(description="Subject")
    def subject(self, person: User) -> SafeString:
        return format_html("<code>{}</code>", person.subject)

    @admin.display(description="Erase")
    def erasing(self, person: User) -> SafeString:
        return format_html("<code>manage.py erase_person {}</code>, on the server", person.pk)

    @admin.display(description="Workspaces")
    def places(self, person: User) -> str:
        found = [(admin_link(m.consumer), m.get_role_display()) for m in person.memberships.all()]
        return format_html_join(", ", "{} ({})", found) if found else "None"

    @admin.display(description="State")
    def standing(self, person: User) -> SafeString:
        state = badge("Active", "good") if person.is_active else badge("Deactivated", "bad")
        rights = badge("Full rights" if person.is_superuser else "Operator", "warn") if person.is_staff else ""
        return format_html("{} {}", state, rights)

    @admin.display(description="Joined")
    def joined(self, person: User) -> str:
        return datetime_column("date_joined", "")(person)

    @admin.display(description="Last sign-in")
    def signed_in(self, person: User) -> str:
        at = datetime_column("last_login", "")(person)
        return f"{at}, by {person.signed_in_by}" if person.signed_in_by else at


# -- Groups -----------------------------------------------------------------------------------------------------------


def _permission_words(permission: Permission) -> str:
    return {"view": "Read", "add": "Add", "change": "Change", "delete": "Delete"}[permission.codename.split("_")[0]]


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    permissions = GroupedMultipleChoiceField(
        queryset=Permission.objects.none(),
        group_of=lambda permission: capfirst(permission.content_type.model_class()._meta.verbose_name_plural),
        label_of=_permission_words,
        label="May",
    )

    class Meta:
        model = Group
        fields = ["name", "permissions"]


@admin.register(Group)
class GroupAdmin(AuditedAdmin):
    intro = "What operators without full rights may read and change."
    empty = "There are no groups. Without one, an operator has full rights or none."
    form = GroupForm
    search_fields = ["name"]
    ordering = ["name"]
    withheld = [(User, "add")]  # who may make operators may do everything
    # What operators do by the management API alone; each room adds its own.
    without_page: ClassVar[list[tuple[type[Model], str]]] = [(PortalLink, "add")]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    has_change_permission = has_delete_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Offer the rights that stand for something on these pages."""
        form = super().get_form(request, obj, change, **kwargs)
        offered = Q(pk=None)
        for model, right in self.without_page:
            offered |= Q(content_type__app_label=model._meta.app_label, codename=f"{right}_{model._meta.model_name}")
        for model, model_admin in self.admin_site._registry.items():
            for right, granted in model_admin.get_model_perms(request).items():
                if granted and (model, right) not in self.withheld and model is not Group:
                    opts = model._meta
                    offered |= Q(content_type__app_label=opts.app_label, codename=f"{right}_{opts.model_name}")
        form.base_fields["permissions"].queryset = (
            Permission.objects.filter(offered)
            .select_related("content_type")
            .order_by("content_type__model", ExpressionWrapper(~Q(codename__startswith="view"), BooleanField()), "pk")
        )
        return form

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        people_actions.save_group(group=obj, permissions=form.cleaned_data["permissions"], actor=Actor.of(request))

    def save_related(self, *args: Any) -> None:
        """The action has set the rights."""

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        people_actions.delete_group(group=obj, actor=Actor.of(request))

    def deletion_effects(self, obj: Group) -> list[str]:
        return [f"{user} loses the rights of this group." for user in obj.user_set.all()] or [
            "Nobody is in this group, so nobody loses rights."
        ]
