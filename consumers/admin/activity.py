"""The audit record on the operators' pages: read, searched, never changed."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consumers.activity import vocabulary
from consumers.activity.timeline import describe
from consumers.admin.base import ConsumerFilter, ReadOnlyAdmin
from consumers.models import Consumer, Event
from core.admin import admin_link, badge, datetime_column


class CategoryFilter(admin.SimpleListFilter):
    title = "about"
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(category.value, category.label) for category in vocabulary.operator_categories().values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        category = vocabulary.operator_categories().get(self.value() or "")
        return queryset.filter(category.condition()) if category else queryset


class TargetFilter(admin.SimpleListFilter):
    """Shown once a page's Activity button has led here."""

    title = "target"
    parameter_name = "target"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = Event.objects.filter(target_id=self.value()).first() if self.value() else None
        return [(str(self.value()), newest.target_label)] if newest else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(target_id=self.value()) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    title = "actor"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("operator", "Operators"), ("person", "Managers"), ("client", "Clients"), ("system", "The portal")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(actor_kind=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    heading = "Activity"
    intro = (
        "Everything that people and the portal did. Each entry is written with its change and sealed in a chain, so "
        "that nobody can change or remove one unnoticed."
    )
    empty = "Nothing has happened yet."
    list_display = [datetime_column("at", "When"), "who", "what", "for_consumer", "origin"]
    list_filter = [CategoryFilter, ActorFilter, "at", ConsumerFilter, TargetFilter]
    list_select_related = ["consumer"]
    list_per_page = 50
    has_activity = False
    search_fields = ["actor_label", "target_label", "name", "ip"]
    search_help_text = (
        "By person, client, consumer, event name or IP address, in the newest 30,000 entries that the filters leave. "
        "By request ID in all."
    )
    fieldsets = [
        ("Summary", {"fields": ["what", "moment", "who", "for_consumer"], "classes": ["facts"]}),
        ("Origin", {"fields": ["address", "user_agent", "request"], "classes": ["facts"]}),
        ("Recorded data", {"fields": ["name", "target", "recorded"], "classes": ["facts"]}),
    ]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        of_request = queryset.filter(request_id=search_term)
        if search_term and of_request.exists():
            return of_request, False
        return super().get_search_results(request, queryset.newest() if search_term else queryset, search_term)

    def has_word(self, word: str) -> Q:
        return super().has_word(word) | Q(consumer__in=Consumer.objects.filter(name__icontains=word).order_by())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="When")
    def moment(self, event: Event) -> str:
        return datetime_column("at", "When")(event)

    @admin.display(description="Actor", ordering="actor_label")
    def who(self, event: Event) -> SafeString:
        kind = {"operator": "Operator", "client": "Client", "system": ""}.get(event.actor_kind, "")
        return format_html("{} {}", event.actor_label, badge(kind) if kind else "")

    @admin.display(description="Event")
    def what(self, event: Event) -> SafeString:
        entry = describe(event)
        words = format_html_join(
            "", "{}", ((format_html("<strong>{}</strong>", p.text) if p.is_name else p.text,) for p in entry.parts[1:])
        )
        return format_html(
            "{}{}", words, format_html('<div class="hint">{}</div>', entry.detail) if entry.detail else ""
        )

    @admin.display(description="Consumer", ordering="consumer__name")
    def for_consumer(self, event: Event) -> str:
        return admin_link(event.consumer) if event.consumer else self.get_empty_value_display()

    @admin.display(description="Origin")
    def origin(self, event: Event) -> str:
        return describe(event).origin or self.get_empty_value_display()

    @admin.display(description="IP address")
    def address(self, event: Event) -> str:
        return event.ip or self.get_empty_value_display()

    @admin.display(description="Request ID")
    def request(self, event: Event) -> str:
        return format_html("<code>{}</code>", event.request_id) if event.request_id else self.get_empty_value_display()

    @admin.display(description="Target")
    def target(self, event: Event) -> str:
        return (
            format_html("{} <code>{}</code>", event.target_kind, event.target_id)
            if event.target_id
            else self.get_empty_value_display()
        )

    @admin.display(description="Detail")
    def recorded(self, event: Event) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(event.detail, indent=2, ensure_ascii=False))
