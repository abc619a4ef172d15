"""The small pieces that pages are made of. Every template has them without loading."""

from hashlib import sha256
from math import cos, pi, sin

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consumers import browsers

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """Return an icon of static/icons.svg, beside a word that says the same."""
    data_size = format_html(' data-size="{}"', size) if size else ""
    return format_html(
        '<svg class="icon"{} aria-hidden="true"><use href="{}#{}"/></svg>', data_size, static("icons.svg"), name
    )


@register.simple_tag
def disc(client_id: str, size: str = "", off: bool = False) -> SafeString:
    """Return a lock's disc, notched by the client ID: one client, one shape."""
    seed = sha256(client_id.encode()).digest()
    notches: list[str] = []
    for position in range(16):
        if seed[position // 8] >> position % 8 & 1 and len(notches) < 6:
            depth = 6.4 + seed[2 + position] % 3 * 2.1
            angle = position * pi / 8
            x, y = sin(angle), cos(angle)
            notches.append(f"M{18 + depth * x:.2f} {18 + depth * y:.2f}L{18 + 15 * x:.2f} {18 + 15 * y:.2f}")
    return format_html(
        '<svg class="disc"{}{} viewBox="0 0 36 36" aria-hidden="true"><circle cx="18" cy="18" r="12.5"/>'
        '<circle class="hub" cx="18" cy="18" r="3.2"/><path d="{}"/></svg>',
        format_html(' data-size="{}"', size) if size else "",
        format_html(' data-off="{}"', "") if off else "",
        "".join(notches) or "M18 24.4L18 33",
    )


@register.filter
def initials(name: str) -> str:
    """Return up to two capitals for a face: of the first and last word, or of an address."""
    words = [word for word in name.replace("@", " ").split() if word[:1].isalnum()]
    chosen = [words[0], words[-1]] if len(words) > 1 and "@" not in name else words[:1]
    return "".join(word[0] for word in chosen).upper()


@register.filter
def browser(user_agent: str) -> str:
    """Return a user agent in words, such as Firefox on Linux."""
    return browsers.browser_name(user_agent) or "Unknown browser"
