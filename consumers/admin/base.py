"""Base classes of the operators' pages: actions behind buttons, and changes through functions that record them."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Model, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import smart_split, unescape_string_literal

from consumers.admin import concurrency
from consumers.admin.concurrency import Page, Shown
from consumers.audit import Actor
from consumers.models import Consumer, Event
from core.admin import BoundedChangeList, admin_url
from core.db import rows
from core.errors import Refusal


class Effect(NamedTuple):
    """One thing that an action does: its figure, the rest of the sentence, and a second line."""

    lead: str
    text: str = ""
    detail: str = ""
    icon: str = ""
    tone: str = ""


@dataclass(frozen=True, kw_only=True)
class AdminAction:
    """An action on an object, or on one of its related rows, that a button on the object's page runs with one POST.

    With `effects` a page asks for confirmation first, and lists them: each an Effect, or a sentence. With `reason`, its
    label, the page asks for one, too, and `run` takes it as its third argument. `relation` names the related manager
    whose row the action is on; the row is looked up below the object alone, so that no address reaches another
    object's rows.
    `label`, `question` and `success` may hold {} for the row's name.
    """

    label: str
    run: Callable[..., object]
    success: str
    effects: Callable[[Any], Sequence[Effect | str]] | None = None
    question: str = ""  # of the page, where that is not the label
    lead: str = ""
    reason: str = ""
    relation: str = ""
    is_available: Callable[[Any], bool] = bool  # a row is true: always
    is_safe: bool = False

    @property
    def needs_confirmation(self) -> bool:
        return self.effects is not None


class ReasonForm(forms.Form):
    reason = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
        help_text="Leave empty to send none.",
    )


class RefusedForm:
    """Mixed into a form that is shown again rather than saved."""

    def clean(self) -> None:
        super().clean()  # type: ignore[misc]
        self.add_error(None, "It has changed since you opened it.")  # type: ignore[attr-defined]


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A model's pages, on which every change goes through an action that records it.

    Django's own log stays empty: there is one audit record, and History leads to it.
    """

    object_actions: dict[str, AdminAction] = {}
    heading = ""  # of its list, where that has a better name than the rows in it
    intro = ""
    empty = "There is nothing here yet."
    empty_value_display = "–"
    has_activity = True
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Filter by what the page offers alone; Django's own rule lets readers guess a digest letter by letter."""
        filters = [each[0] if isinstance(each, tuple) else each for each in self.get_list_filter(request)]
        return lookup.partition("__")[0] in [getattr(each, "parameter_name", each) for each in filters]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[BoundedChangeList]:
        return BoundedChangeList

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Return the rows that have every word of the term, by subqueries: no row comes twice."""
        for word in smart_split(search_term):
            quoted = word[0] == word[-1] and word[0] in "\"'" and len(word) > 1
            queryset = queryset.filter(self.has_word(unescape_string_literal(word) if quoted else word))
        return queryset, False

    def has_word(self, word: str) -> Q:
        """Return what is true of a row with the word in one of `search_fields`."""
        return Q.create([(f"{name}__icontains", word) for name in self.search_fields], connector=Q.OR)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_action"
        view = self.admin_site.admin_view(self.action_view)
        return [
            path("<path:object_id>/actions/<slug:name>/<str:related_id>/", view, name=name),
            path("<path:object_id>/actions/<slug:name>/", view, name=name),
            *super().get_urls(),
        ]

    def action_view(self, request: HttpRequest, object_id: str, name: str, related_id: str = "") -> HttpResponse:
        """Run an action, or ask for confirmation of one that has effects."""
        obj = self.get_object(request, unquote(object_id))
        action = self.object_actions.get(name)
        if obj is None or action is None or bool(action.relation) != bool(related_id):
            raise Http404
        if not self.has_change_permission(request, obj):
            raise PermissionDenied("Your rights let you read this page, not change it. Ask another operator.")
        target = _related_row(obj, action.relation, related_id) if action.relation else obj
        form = ReasonForm(request.POST if request.method == "POST" else None) if action.reason else None
        if request.method == "POST" and (form is None or form.is_valid()):
            reason = [form.cleaned_data["reason"]] if form else []
            return self.run_action(request, action, obj, target, *reason)
        if request.method not in ("GET", "HEAD", "POST") or action.effects is None:
            return HttpResponseNotAllowed(["POST"])
        context = {
            **self.admin_site.each_context(request),
            "title": (action.question or action.label).format(target),
            "button": action.label.format(target),
            "form": form,
            "opts": self.opts,
            "object": obj,
            "action": action,
            "effects": [Effect("", each) if isinstance(each, str) else each for each in action.effects(target)],
            "back": admin_url(obj),
        }
        status = 422 if form is not None and form.errors else 200
        return TemplateResponse(request, "admin/action_confirmation.html", context, status=status)

    def run_action(
        self, request: HttpRequest, action: AdminAction, obj: Model, target: Model, *reason: str
    ) -> HttpResponse:
        name = str(target)
        try:
            action.run(target, Actor.of(request), *reason)
        except Refusal as refusal:
            messages.error(request, refusal.description)
        else:
            messages.success(request, action.success.format(name))
        return redirect(admin_url(obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        obj = context["original"]
        context["can_act"] = obj is not None and self.has_change_permission(request, obj)
        context["has_activity"] = self.has_activity
        if obj is not None:
            context |= self.extra_context(obj)
            context["shown"] = self.signed_values(request, context)
        if context.get("is_stale"):
            context["errors"] = ()  # the page says what to do in place of them
        if context["can_act"]:
            context["object_actions"] = [
                {"label": action.label.format(obj), "url": self.action_url(obj, name), "action": action}
                for name, action in self.object_actions.items()
                if not action.relation and action.is_available(obj)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def signed_values(self, request: HttpRequest, context: dict[str, Any]) -> str:
        """Return the stored values of the fields that can be changed, for the page to send back."""
        obj = context["original"]
        if not context["can_act"]:
            return ""
        if request.method == "POST":  # what was sent has been written into the object
            page = self.unbound(request, self.get_object(request, str(obj.pk)))
        else:
            formsets = [each.formset for each in context["inline_admin_formsets"]]
            page = Page(obj, context["adminform"].form, formsets)
        return Shown.on(page).signed(obj)

    def extra_context(self, obj: Any) -> dict[str, Any]:
        """Return what the object's page shows besides its own fields."""
        return {}

    def action_url(self, obj: Model, name: str, related: Model | None = None) -> str:
        args = [quote(obj.pk), name, *([related.pk] if related is not None else [])]
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_action", args=args)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show a refusal that the form could not foresee as a message; its transaction is rolled back by then."""
        try:
            with transaction.atomic():
                found = self.stale(request, object_id) if request.method == "POST" and object_id is not None else None
                if found is None:
                    return super().changeform_view(request, object_id, form_url, extra_context)
                response = super().changeform_view(request, object_id, form_url, found)
                response.status_code = 409
                return response
        except Refusal as refusal:
            messages.error(request, refusal.description)
            return HttpResponseRedirect(request.get_full_path())

    def stale(self, request: HttpRequest, object_id: str) -> dict[str, Any] | None:
        """Lock the object; return what to say about a form that no longer shows what is stored, or None.

        The request then holds what the operator typed upon what is stored, and its form is refused once more.
        """
        obj = self.get_object(request, unquote(object_id))
        if obj is None or not self.has_change_permission(request, obj):
            return None  # as Django answers
        rows.lock(obj)
        page = self.unbound(request, self.get_object(request, unquote(object_id)))
        now, shown = Shown.on(page), Shown.read(request.POST.get(concurrency.INPUT, ""), obj)
        if shown is not None and shown.is_same(now):
            return None
        context: dict[str, Any] = {"is_stale": True}
        if shown is not None:
            context["differences"] = list(concurrency.differences(shown, now, page, request.POST))
            context["editor"] = Event.objects.filter(target_id=str(obj.pk), at__gte=shown.at).first()
            request.POST = concurrency.merge(request.POST, shown, page)  # type: ignore[assignment]
        request.is_stale = True  # type: ignore[attr-defined]
        return context

    def unbound(self, request: HttpRequest, obj: Any) -> Page:
        """Return the form and formsets of the object's page, as they show what is stored."""
        formsets = [
            formset_class(instance=obj, queryset=inline.get_queryset(request))
            for formset_class, inline in self.get_formsets_with_inlines(request, obj)
        ]
        return Page(obj, self.get_form(request, obj, change=True)(instance=obj), formsets)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (RefusedForm, form), {}) if getattr(request, "is_stale", False) else form

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().delete_view(request, object_id, *args, **kwargs)
        except Refusal as refusal:
            messages.error(request, refusal.description)
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", object_id)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """List what deleting takes away, in words; Django's own list would print each related row, tokens too."""
        return [text for obj in objs for text in self.deletion_effects(obj)], {}, set(), []

    def deletion_effects(self, obj: Any) -> list[str]:
        """Return what deleting the object takes away, a sentence each."""
        return [str(obj)]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return redirect(reverse("admin:consumers_event_changelist", query={"target": unquote(object_id)}))

    def log_addition(self, *args: Any) -> None:  # type: ignore[override]
        """The action has recorded it."""

    def log_change(self, *args: Any) -> None:  # type: ignore[override]
        """The action has recorded it."""

    def log_deletions(self, *args: Any) -> None:  # type: ignore[override]
        """The action has recorded it."""


class ReadOnlyAdmin(AuditedAdmin):
    """Pages to read, where nothing is added, changed by hand or deleted."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [name for _, options in self.get_fieldsets(request, obj) for name in options["fields"]]  # type: ignore[misc]

    def save_model(self, *args: Any) -> None:
        """Whatever a forged form says, there is nothing to save."""

    def extra_context(self, obj: Any) -> dict[str, Any]:
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


def _related_row(obj: Any, relation: str, related_id: str) -> Any:
    try:
        return getattr(obj, relation).get(pk=related_id)
    except (getattr(obj, relation).model.DoesNotExist, ValueError, ValidationError):
        raise Http404 from None
