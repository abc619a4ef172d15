"""What the operators' pages share: deeds behind buttons, changes that go through actions, and how values read."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# -- How values read --------------------------------------------------------------------------------------------------


def badge(text: str, tone: str = "") -> SafeString:
    """Return a state as a word on a coloured ground. `tone` is good, warn, bad or empty."""
    return format_html('<span class="badge"{}>{}</span>', format_html(' data-tone="{}"', tone) if tone else "", text)


def moment(field: str, description: str, never: str = "Never") -> Callable[[Any], str]:
    """Return a column that tells a moment: 21 Nov 2026, 14:00."""

    @admin.display(description=description, ordering=field, empty_value=never)
    def show(thing: Any) -> str:
        value = getattr(thing, field)
        return date_format(timezone.localtime(value), "j M Y, H:i") if value else never

    show.__name__ = f"moment_{field}"  # becomes the column's class
    return show


def several(number: int, one: str, many: str) -> str:
    """Return the number with its noun: 1 client, 2 clients."""
    return f"{number:,} {one if number == 1 else many}"


def page_of(thing: Model | None, text: str = "") -> SafeString | str:
    """Return a link to the thing's page here, or its name alone when it has none."""
    if thing is None:
        return "None"
    try:
        address = address_of(thing)
    except NoReverseMatch:
        return text or str(thing)
    return format_html('<a href="{}">{}</a>', address, text or str(thing))


def address_of(thing: Model) -> str:
    opts = thing._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[quote(thing.pk)])


def listing(values: Iterable[Any], empty: str = "None") -> SafeString | str:
    """Return registered values, each on its own line and as a machine reads it."""
    rows = format_html_join("", "<li><code>{}</code></li>", ((value,) for value in values))
    return format_html('<ul class="values">{}</ul>', rows) if rows else empty


# -- Deeds ------------------------------------------------------------------------------------------------------------
