"""Template tags and filters that every template has without loading."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from html import unescape
from math import cos, pi, sin
from typing import Any

from django import template
from django.forms import BaseForm, BoundField
from django.template.context import Context
from django.template.defaulttags import querystring
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core import user_agents
from core.timefmt import near_date_time

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """Return an icon of static/icons.svg, beside a word that says the same."""
    data_size = format_html(' data-size="{}"', size) if size else ""
    return format_html(
        '<svg class="icon"{} aria-hidden="true"><use href="{}#{}"/></svg>', data_size, static("icons.svg"), name
    )


@register.simple_tag
def identicon(client_id: str, size: str = "", off: bool = False) -> SafeString:
    """Return a client's identicon: a lock's disc, notched by the hash of the client ID."""
    seed = sha256(client_id.encode()).digest()
    notches: list[str] = []
    for position in range(16):
        if seed[position // 8] >> position % 8 & 1 and len(notches) < 6:
            depth = 6.4 + seed[2 + position] % 3 * 2.1
            angle = position * pi / 8
            x, y = sin(angle), cos(angle)
            notches.append(f"M{18 + depth * x:.2f} {18 + depth * y:.2f}L{18 + 15 * x:.2f} {18 + 15 * y:.2f}")
    return format_html(
        '<svg class="identicon"{}{} viewBox="0 0 36 36" aria-hidden="true"><circle cx="18" cy="18" r="12.5"/>'
        '<circle class="hub" cx="18" cy="18" r="3.2"/><path d="{}"/></svg>',
        format_html(' data-size="{}"', size) if size else "",
        format_html(' data-off="{}"', "") if off else "",
        "".join(notches) or "M18 24.4L18 33",
    )


@register.simple_tag
def sparkline(by_day: Sequence[int]) -> SafeString:
    """Return a sum and its sparkline, with a bar for each day."""
    most, width = max(by_day), 100 / len(by_day)
    tall = [max(1.5, 24 * count / most) if count else 0 for count in by_day]
    bars = (
        (f"{place * width:.2f}%", f"{0.7 * width:.2f}%", f"{24 - height:.1f}", f"{height:.1f}")
        for place, height in enumerate(tall)
        if height
    )
    rects = format_html_join("", '<rect x="{}" width="{}" y="{}" height="{}"/>', bars)
    return format_html(
        '<span class="number">{}</span><svg class="spark" aria-hidden="true">{}</svg>', f"{sum(by_day):,}", rects
    )


@register.simple_tag(takes_context=True)
def page_url(context: Context, number: int, parameter: str = "") -> str:
    """Return the query string of a page of the list at hand, which `parameter` names where there are several."""
    chosen: dict[str, Any] = {parameter or "page": number}
    return str(querystring(context, **chosen))


@register.filter
def error_count(form: BaseForm) -> int:
    """Return how many things are wrong with a form, of which a field may have several."""
    return sum(len(errors) for errors in form.errors.values())


@register.filter
def labelled(field: BoundField) -> SafeString:
    """Return a field of another package without the placeholder that says its label again."""
    field.field.widget.attrs.pop("placeholder", None)
    return field.as_field_group()


@register.filter
def initials(name: str) -> str:
    """Return up to two capitals for a face: of the first and last word, or of an address."""
    words = [word for word in name.replace("@", " ").split() if word[:1].isalnum()]
    chosen = [words[0], words[-1]] if len(words) > 1 and "@" not in name else words[:1]
    return "".join(word[0] for word in chosen).upper()


@register.filter
def address(person: Any) -> str:
    """Return a person's email address, or what else they are known by where they have none."""
    return str(person.address or person)


@register.filter
def browser(user_agent: str) -> str:
    """Return a user agent in words, such as Firefox on Linux."""
    return user_agents.browser_name(user_agent) or "Unknown browser"


@register.filter
def ago(moment: datetime | None, inside: str = "") -> str:
    """Return how long ago a moment was, as a time element: 2 minutes ago, Yesterday at 17:31, 26 Oct 2026.

    `inside` a sentence it begins with a small letter.
    """
    if moment is None:
        return "never" if inside else "Never"
    local, now = timezone.localtime(moment), timezone.localtime()
    days = (now.date() - local.date()).days
    if now - local < timedelta(minutes=1):
        text = "Just now"
    elif now - local < timedelta(hours=12) or days == 0:
        text = f"{distance(now - local)} ago"
    elif days == 1:
        text = f"Yesterday at {date_format(local, 'H:i')}"
    else:
        text = ("on " if inside else "") + date_format(local, "j M Y")
    return format_html(
        '<time datetime="{}">{}</time>', local.isoformat(), text.lower() if inside and days < 2 else text
    )


@register.filter
def away(moment: datetime) -> str:
    """Return how far a moment is: in 5 days, 18 days ago."""
    gap = moment - timezone.now()
    return f"in {distance(gap)}" if gap > timedelta() else f"{distance(-gap)} ago"


# Each unit with its minutes, and the minutes from which on it is used.
UNITS = (("month", 43_830, 60 * 1440), ("day", 1440, 1440), ("hour", 60, 60), ("minute", 1, 0))


def distance(gap: timedelta) -> str:
    """Return a length of time in its largest whole unit, from minutes to months."""
    minutes = max(1, round(gap.total_seconds() / 60))
    unit, size = next((unit, size) for unit, size, least in UNITS if minutes >= least)
    count = round(minutes / size)
    return f"{count} {unit}{'' if count == 1 else 's'}"


register.filter("moment", near_date_time)


@register.filter
def counted(count: int, word: str) -> str:
    """Return a count as a sentence says it, in words up to nine: two secrets."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return f"{words[count] if count < len(words) else f'{count:,}'} {word}{'' if count == 1 else 's'}"


@register.simple_block_tag
def code(content: str, id: str, label: str) -> SafeString:  # as in HTML
    """Return what stands between the tags as a program to copy."""
    return format_html(
        '<div class="code">'
        '<pre tabindex="0" role="region" aria-label="{label}"><code id="code-{id}">{text}</code></pre>'
        '<button class="copy" type="button" data-copy="code-{id}" aria-label="Copy: {label}" hidden>{icon}</button>'
        "</div>",
        id=id,
        label=label,
        text=unescape(content).strip(),  # to be escaped again: what was rendered is safe, what is cut of it is not
        icon=icon("copy"),
    )


@register.filter
def program(text: str) -> SafeString:
    """Return a program with its comment lines set back."""
    lines = (format_html("<i>{}</i>" if line.startswith(("# ", "// ")) else "{}", line) for line in text.split("\n"))
    return format_html_join("\n", "{}", ((line,) for line in lines))
