"""The record of deeds: read, searched, never changed."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consumers.activity.timeline import describe
from consumers.admin.base import ConsumerFilter, ReadOnlyDesk
from consumers.models import Event
from core.admin import badge, moment, page_of


class AboutFilter(admin.SimpleListFilter):
    title = "about"
    parameter_name = "about"
    names = {
        "clients": ("Clients and secrets", ["client."]),
        "managers": ("Managers and invitations", ["manager."]),
        "consumers": ("Consumers", ["consumer."]),
        "apis": ("APIs", ["api."]),
        "keys": ("Signing keys", ["key."]),
        "rights": ("Accounts and rights", ["operator.", "person.", "group."]),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, label) for value, (label, _) in self.names.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        about = Q()
        for prefix in self.names.get(self.value() or "", ("", []))[1]:
            about |= Q(name__startswith=prefix)
        return queryset.filter(about)


class TargetFilter(admin.SimpleListFilter):
    """Shown once a page's Activity button has led here."""

    title = "done to"
    parameter_name = "target"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = Event.objects.filter(target_id=self.value()).first() if self.value() else None
        return [(str(self.value()), newest.target_label)] if newest else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(target_id=self.value()) if self.value() else queryset


class ActorFilter(admin.SimpleListFilter):
    title = "done by"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("operator", "Operators"), ("person", "Managers"), ("client", "Clients"), ("system", "The portal")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> QuerySet[Event]:
        return queryset.filter(actor_kind=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyDesk):
    heading = "Activity"
    lede = "Everything that people and the portal did. It is written with the deed and cannot be changed or deleted."
    empty = "Nothing has happened yet."
    list_display = [moment("at", "When"), "who", "what", "for_consumer", "origin"]
    list_filter = [AboutFilter, ActorFilter, "at", ConsumerFilter, TargetFilter]
    list_select_related = ["consumer"]
    list_per_page = 50
    show_full_result_count = False
    has_activity = False
    search_fields = ["actor_label", "target_label", "name", "ip", "consumer__name", "request_id"]
    search_help_text = "By person, client, consumer, event name, IP address or request ID."
    fieldsets = [
        ("Deed", {"fields": ["what", "moment", "who", "for_consumer"], "classes": ["facts"]}),
        ("From where", {"fields": ["address", "user_agent", "request"], "classes": ["facts"]}),
        ("As recorded", {"fields": ["name", "target", "recorded"], "classes": ["facts"]}),
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="When")
    def moment(self, event: Event) -> str:
        return moment("at", "When")(event)

    @admin.display(description="Who", ordering="actor_label")
    def who(self, event: Event) -> SafeString:
        kind = {"operator": "Operator", "client": "Client", "system": ""}.get(event.actor_kind, "")
        return format_html("{} {}", event.actor_label, badge(kind) if kind else "")

    @admin.display(description="What")
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
        return page_of(event.consumer) if event.consumer else self.get_empty_value_display()

    @admin.display(description="From where")
    def origin(self, event: Event) -> str:
        return describe(event).origin or self.get_empty_value_display()

    @admin.display(description="IP address")
    def address(self, event: Event) -> str:
        return event.ip or self.get_empty_value_display()

    @admin.display(description="Request ID")
    def request(self, event: Event) -> str:
        return format_html("<code>{}</code>", event.request_id) if event.request_id else self.get_empty_value_display()

    @admin.display(description="Done to")
    def target(self, event: Event) -> str:
        return (
            format_html("{} <code>{}</code>", event.target_kind, event.target_id)
            if event.target_id
            else self.get_empty_value_display()
        )

    @admin.display(description="Detail")
    def recorded(self, event: Event) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(event.detail, indent=2, ensure_ascii=False))
