"""What the operators' pages share: actions behind buttons, and changes that go through functions that record them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from consumers.audit import Actor
from consumers.models import Consumer
from core.admin import address_of
from core.errors import Refusal


@dataclass(frozen=True, kw_only=True)
class Deed:
    """Something that an operator does to a thing, or to one of its parts, with one POST.

    With `effects` it is asked first, on a page that says what will happen. `part` is the name of the relation whose row
    it is done to, looked up below the thing alone, so that no address reaches another thing's parts.
    """

    label: str
    act: Callable[[Any, Actor], object]
    done: str
    effects: Callable[[Any], list[str]] | None = None
    part: str = ""
    when: Callable[[Any], bool] = bool  # a row is true: always
    is_safe: bool = False

    @property
    def asks_first(self) -> bool:
        return self.effects is not None


class Desk(admin.ModelAdmin):  # type: ignore[type-arg]
    """A model's pages, on which every change goes through an action that records it.

    Django's own log stays empty: there is one record of deeds, and History leads to it.
    """

    deeds: dict[str, Deed] = {}
    heading = ""  # of its list, where that has a better name than the rows in it
    lede = ""
    empty = "There is nothing here yet."
    empty_value_display = "–"
    has_activity = True
    show_facets = admin.ShowFacets.NEVER

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Filter by what the page offers alone; Django's own rule lets readers guess a digest letter by letter."""
        filters = [each[0] if isinstance(each, tuple) else each for each in self.get_list_filter(request)]
        return lookup.partition("__")[0] in [getattr(each, "parameter_name", each) for each in filters]

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_deed"
        view = self.admin_site.admin_view(self.deed_view)
        return [
            path("<path:object_id>/deeds/<slug:deed>/<str:part_id>/", view, name=name),
            path("<path:object_id>/deeds/<slug:deed>/", view, name=name),
            *super().get_urls(),
        ]

    def deed_view(self, request: HttpRequest, object_id: str, deed: str, part_id: str = "") -> HttpResponse:
        """Ask for a deed that has effects to weigh, or do it."""
        thing = self.get_object(request, unquote(object_id))
        todo = self.deeds.get(deed)
        if thing is None or todo is None or bool(todo.part) != bool(part_id):
            raise Http404
        if not self.has_change_permission(request, thing):
            raise PermissionDenied("Your rights let you read this page, not change it. Ask another operator.")
        target = _part_of(thing, todo.part, part_id) if todo.part else thing
        if request.method == "POST":
            return self.do(request, todo, thing, target)
        if request.method not in ("GET", "HEAD") or todo.effects is None:
            return HttpResponseNotAllowed(["POST"])
        context = {
            **self.admin_site.each_context(request),
            "title": todo.label.format(target),
            "opts": self.opts,
            "thing": thing,
            "todo": todo,
            "effects": todo.effects(target),
            "back": address_of(thing),
        }
        return TemplateResponse(request, "admin/deed.html", context)

    def do(self, request: HttpRequest, todo: Deed, thing: Model, target: Model) -> HttpResponse:
        name = str(target)
        try:
            todo.act(target, Actor.of(request))
        except Refusal as refusal:
            messages.error(request, refusal.description)
        else:
            messages.success(request, todo.done.format(name))
        return redirect(address_of(thing))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        thing = context["original"]
        context["can_act"] = thing is not None and self.has_change_permission(request, thing)
        context["has_activity"] = self.has_activity
        if thing is not None:
            context |= self.around(thing)
        if context["can_act"]:
            context["deeds"] = [
                {"label": deed.label.format(thing), "address": self.deed_address(thing, name), "deed": deed}
                for name, deed in self.deeds.items()
                if not deed.part and deed.when(thing)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def around(self, thing: Any) -> dict[str, Any]:
        """Return what the thing's page shows besides its own fields."""
        return {}

    def deed_address(self, thing: Model, deed: str, part: Model | None = None) -> str:
        args = [quote(thing.pk), deed, *([part.pk] if part is not None else [])]
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_deed", args=args)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Turn a refusal that the form could not foresee into words; its transaction is rolled back by then."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refusal as refusal:
            messages.error(request, refusal.description)
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().delete_view(request, object_id, *args, **kwargs)
        except Refusal as refusal:
            messages.error(request, refusal.description)
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", object_id)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Tell what deleting takes away, in words; Django's own list would print each related row, tokens too."""
        return [text for thing in objs for text in self.losses(thing)], {}, set(), []

    def losses(self, thing: Any) -> list[str]:
        return [str(thing)]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return redirect(reverse("admin:consumers_event_changelist", query={"target": unquote(object_id)}))

    def log_addition(self, *args: Any) -> None:  # type: ignore[override]
        """The action has recorded it."""

    def log_change(self, *args: Any) -> None:  # type: ignore[override]
        """The action has recorded it."""

    def log_deletions(self, *args: Any) -> None:  # type: ignore[override]
        """The action has recorded it."""


class ReadOnlyDesk(Desk):
    """Pages to read, where nothing is added, changed by hand or deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]  # type: ignore[misc]

    def save_model(self, *args: Any) -> None:
        """Whatever a forged form says, there is nothing to save."""

    def around(self, thing: Any) -> dict[str, Any]:
        return {"show_save": False, "show_save_and_continue": False, "show_close": True}


class ConsumerFilter(admin.SimpleListFilter):
    """A choice of consumers while they fit on a screen; beyond that, the one that a link has chosen."""

    title = "consumer"
    parameter_name = "consumer"
    LIMIT = 20

    def chosen(self) -> uuid.UUID | None:
        try:
            return uuid.UUID(self.value() or "")
        except ValueError:
            return None

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        consumers = list(Consumer.objects.all()[: self.LIMIT + 1])
        if len(consumers) > self.LIMIT:
            consumers = list(Consumer.objects.filter(pk__in=[self.chosen()]))
        return [(str(consumer.pk), consumer.name) for consumer in consumers]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(consumer=self.chosen()) if self.value() else queryset


def _part_of(thing: Any, relation: str, part_id: str) -> Any:
    try:
        return getattr(thing, relation).get(pk=part_id)
    except (getattr(thing, relation).model.DoesNotExist, ValueError, ValidationError):
        raise Http404 from None
