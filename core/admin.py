"""Values on the operators' pages: badges, dates, links and lists."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.timefmt import short_date_time


def badge(text: str, tone: str = "") -> SafeString:
    """Return a state as a word on a coloured ground. `tone` is good, warn, bad or empty."""
    return format_html('<span class="badge"{}>{}</span>', format_html(' data-tone="{}"', tone) if tone else "", text)


def datetime_column(field: str, description: str, never: str = "Never") -> Callable[[Any], str]:
    """Return a list column that shows a date and time: 21 Nov 2026, 14:00."""

    @admin.display(description=description, ordering=field, empty_value=never)
    def show(obj: Any) -> str:
        value = getattr(obj, field)
        return short_date_time(value) if value else never

    show.__name__ = f"moment_{field}"  # becomes the column's class
    return show


def pluralize(number: int, one: str, many: str) -> str:
    """Return the number with its noun: 1 client, 2 clients."""
    return f"{number:,} {one if number == 1 else many}"


def admin_link(obj: Model | None, text: str = "") -> SafeString | str:
    """Return a link to the object's page here, or its name alone when it has none."""
    if obj is None:
        return "None"
    try:
        address = admin_url(obj)
    except NoReverseMatch:
        return text or str(obj)
    return format_html('<a href="{}">{}</a>', address, text or str(obj))


def admin_url(obj: Model) -> str:
    opts = obj._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[quote(obj.pk)])


def code_list(values: Iterable[Any], empty: str = "None") -> SafeString | str:
    """Return registered values, each on its own line and as a machine reads it."""
    rows = format_html_join("", "<li><code>{}</code></li>", ((value,) for value in values))
    return format_html('<ul class="values">{}</ul>', rows) if rows else empty


class BoundedChangeList(ChangeList):
    """A list of the first MOST rows in its order, which are looked for once, then counted and shown by their keys.

    Nobody turns to later pages, and to count all rows of a table, or all that a search finds, is to read all of it.
    """

    MOST = 1_000
    is_full = False  # whether there may be more rows

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        found = super().get_queryset(request, exclude_parameters)
        keys = list(found.values_list("pk", flat=True)[: self.MOST])
        self.is_full = len(keys) == self.MOST
        rows = self.root_queryset.filter(pk__in=keys).order_by(*found.query.order_by)
        return rows if rows.query.select_related else self.apply_select_related(rows)

    def get_results(self, request: HttpRequest) -> None:
        """Offer “Show all” beside the number of results where something is left out, and not beside all of them."""
        super().get_results(request)
        if not self.query and not self.has_active_filters:
            self.full_result_count = self.result_count
