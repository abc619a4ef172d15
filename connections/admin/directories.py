"""Directories on the operators' pages: their token, the roles of their groups, and who is in them."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.debug import sensitive_variables

from connections import policy
from connections.actions import directories as directory_actions
from connections.models import Directory, DirectoryGroup, Domain, GroupRole
from consumers.admin.base import AuditedAdmin, Effect
from consumers.audit import Actor
from consumers.forms import add_refusal
from consumers.models import Consumer
from core.admin import admin_url, datetime_column, pluralize
from core.errors import Refusal

SHOWN_PEOPLE = 100
LAST_USED = datetime_column("last_used_at", "Last request")
STATES = {
    "member": ("Member", "good"),
    "invited": ("Invited", "warn"),
    "no_address": ("No email address", "warn"),
    "off": ("Switched off", ""),
}


class DirectoryForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Directory
        fields = ["consumer", "name", "default_role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "consumer" in self.fields:
            free = Consumer.objects.filter(directory=None)
            self.fields["consumer"].queryset = free  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        """Add the policy's refusal to its field."""
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            policy.directory(self.instance)
        except Refusal as refusal:
            add_refusal(self, refusal)


@admin.register(Directory)
class DirectoryAdmin(AuditedAdmin):
    heading = "Directories"
    intro = "A consumer’s own directory adds and removes its people by SCIM. Who is switched off there is out at once."
    empty = "No directory keeps people here yet. Add one, and give its token to the consumer’s administrators."
    form = DirectoryForm
    list_display = ["name", "consumer", "people", "default_role", LAST_USED]
    search_fields = ["name", "consumer__name", "consumer__slug"]
    search_help_text = "By name or consumer."
    list_select_related = ["consumer"]

    def get_queryset(self, request: HttpRequest) -> Any:
        active = Count("users", filter=Q(users__active=True), distinct=True)
        return super().get_queryset(request).annotate(people_in_all=active)

    @admin.display(description="Active people", ordering="people_in_all")
    def people(self, directory: Any) -> int:
        return int(directory.people_in_all)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["consumer"] if obj is not None else []

    # -- The token ----------------------------------------------------------------------------------------------------

    @sensitive_variables("text")
    def save_model(self, request: HttpRequest, obj: Directory, form: Any, change: bool) -> None:
        actor = Actor.of(request)
        if change:
            values = {name: form.cleaned_data[name] for name in form.cleaned_data if name != "consumer"}
            directory_actions.update_directory(directory=obj, values=values, actor=actor)
            return
        _, text = directory_actions.create_directory(directory=obj, actor=actor)
        request.directory_token = text  # type: ignore[attr-defined]  # for this very response

    def response_add(self, request: HttpRequest, obj: Directory, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_token(request, obj, request.directory_token)  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: Directory) -> None:
        directory_actions.delete_directory(directory=obj, actor=Actor.of(request))

    def deletion_effects(self, obj: Directory) -> list[str]:
        return [
            "Its token ends at once: the directory can add and remove nobody any more.",
            f"{pluralize(obj.users.count(), 'person', 'people')} in it stay here, and are kept by people from now on.",
            "Switch off there first whoever is to leave.",
        ]

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Any, name: str) -> URLPattern:
            pattern: URLPattern = path(route, self.admin_site.admin_view(view), name=f"connections_directory_{name}")
            return pattern

        return [
            page("<uuid:pk>/rotate/", self.rotate_view, "rotate"),
            page("<uuid:pk>/groups/<uuid:group_id>/", self.group_view, "group"),
            *super().get_urls(),
        ]

    @sensitive_variables("text")
    def rotate_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Replace the token after a confirmation, and show the new one in the response."""
        directory = self._changeable(request, pk)
        if request.method == "POST":
            try:
                _, text = directory_actions.rotate_token(directory=directory, actor=Actor.of(request))
            except Refusal as refusal:
                messages.error(request, refusal.description)
                return redirect(admin_url(directory))
            return self._show_token(request, directory, text)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Replace the token of {directory}?",
            "button": "Replace token",
            "opts": self.opts,
            "object": directory,
            "effects": [
                Effect("The token in use ends at once.", "Until the new one is entered there, nothing is provisioned."),
                Effect("Nobody is signed out.", "The directory sends again what it could not send."),
            ],
            "back": admin_url(directory),
        }
        return TemplateResponse(request, "admin/action_confirmation.html", context)

    def group_view(self, request: HttpRequest, pk: Any, group_id: Any) -> HttpResponse:
        """Set the role that a group gives."""
        directory = self._changeable(request, pk)
        if request.method != "POST":
            raise Http404
        group = get_object_or_404(DirectoryGroup, directory=directory, pk=group_id)
        try:
            role = request.POST.get("role", "")
            directory_actions.set_group_role(group=group, role=role, actor=Actor.of(request))
        except Refusal as refusal:
            messages.error(request, refusal.description)
        else:
            messages.success(request, f"The role of {group} is saved, and its members have it.")
        return redirect(admin_url(directory))

    def _changeable(self, request: HttpRequest, pk: Any) -> Directory:
        if not self.has_change_permission(request):
            raise PermissionDenied("Your rights let you read this page, not change it. Ask another operator.")
        return get_object_or_404(Directory.objects.select_related("consumer"), pk=pk)

    def _show_token(self, request: HttpRequest, directory: Directory, text: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Save the token of {directory} now",
            "opts": self.opts,
            "directory": directory,
            "address": _address(directory),
            "text": text,
            "back": admin_url(directory),
        }
        response = TemplateResponse(request, "admin/connections/directory/token.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response

    # -- One directory ------------------------------------------------------------------------------------------------

    def extra_context(self, obj: Directory) -> dict[str, Any]:
        domains = Domain.objects.verified().filter(connection__consumers=obj.consumer_id)
        people = obj.users.select_related("user", "invitation").order_by("-active", "user_name")
        return {
            "address": _address(obj),
            "domains": [domain.name for domain in domains],
            "groups": obj.groups.annotate(size=Count("members")).order_by("display_name"),
            "roles": GroupRole.choices,
            "people": [(row, STATES[row.state]) for row in people[:SHOWN_PEOPLE]],
            "people_total": people.count(),
            "pending_total": obj.users.pending().count(),
        }


def _address(directory: Directory) -> str:
    return settings.PUBLIC_URL + reverse("connections:scim", args=[directory.consumer.slug]).rstrip("/")
